"""Celery tasks: a training on demand and every night."""

from __future__ import annotations

from celery import shared_task

from reco.container import dependencies


@shared_task(name="reco.tasks.train")
def train(training_id: str) -> str:
    """Run a queued training; safe to repeat."""
    return dependencies().trainings.training_run(training_id).status


@shared_task(name="reco.tasks.train_nightly")
def train_nightly() -> str:
    """Queue a training unless one is open; called by Celery beat."""
    return dependencies().trainings.training_request(requested_by="schedule").id
