"""Where a backup comes from: all records and the journal as they were together at one moment."""
