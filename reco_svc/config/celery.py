"""The Celery application, for `celery -A config.celery worker` and `beat`."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from celery.schedules import crontab
from django.conf import settings

from chassis.jobs import celery_app

app = celery_app("reco")
app.conf.beat_schedule = {
    "train nightly": {
        "task": "reco.tasks.train_nightly",
        "schedule": crontab(minute="0", hour=str(settings.TRAIN_AT_HOUR)),
    }
}
