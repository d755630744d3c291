"""What `celery -A sample worker` runs."""

from chassis.jobs import celery_app

app = celery_app("catalog")
