"""Real Redis and PostgreSQL from wheels, and all parts under one roof. Knows programs, never records."""
