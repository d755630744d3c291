"""Training on a Celery worker: on demand and every night."""

from __future__ import annotations

from celery import shared_task

from reco.wiring import parts


@shared_task(name="reco.tasks.train")
def train(training_id: str) -> str:
    """Runs a queued training; safe to repeat."""
    return parts().trainings.training_run(training_id).status


@shared_task(name="reco.tasks.train_nightly")
def train_nightly() -> str:
    """Celery beat's call: queue a training unless one is open."""
    return parts().trainings.training_request(requested_by="schedule").id
