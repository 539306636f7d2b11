"""The Celery app of the workers and the beat: `celery -A celery_app worker`, `celery -A celery_app beat`."""

from taskapi.config import load_settings
from worker.setup import make_celery

app = make_celery(load_settings())
