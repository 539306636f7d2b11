"""Celery's side: when something is done, never how. Knows services, sync and Celery; no Flask."""
