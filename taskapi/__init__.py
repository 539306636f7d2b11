"""The task-management back end: records answered from Redis, mirrored in PostgreSQL by Celery."""
