"""The records in Redis: the only package that knows keys, scripts and Redis itself. No Flask, no SQL."""
