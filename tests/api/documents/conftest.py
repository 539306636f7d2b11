"""What reads and carries out the API's own documents: a plain reader, and a world in which examples hold."""
