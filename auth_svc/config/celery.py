"""The Celery application: `celery -A config.celery worker`."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from chassis.jobs import celery_app

app = celery_app("auth")
