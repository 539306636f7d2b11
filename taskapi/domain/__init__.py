"""Records and rules. Pure Python: no Flask, no Redis, no SQL."""
