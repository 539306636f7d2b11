"""The mirror in PostgreSQL: the only package that speaks SQL. Knows the domain; no Redis, no Flask."""
