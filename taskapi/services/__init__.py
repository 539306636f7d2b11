"""One function per thing that a caller can ask for. Knows the store and the rules; no Flask, no keys."""
