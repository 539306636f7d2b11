"""Redis to PostgreSQL and back. Knows store, db and domain; no Flask, no Celery, no driver."""
