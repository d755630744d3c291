"""Celery tasks; each names a document that says what to do, and may run twice."""

from __future__ import annotations

from celery import shared_task

from catalog import container


@shared_task(name="catalog.tasks.render_image")
def render_image(image_id: str) -> str:
    """Render an uploaded image and return its status."""
    return str(container.dependencies().images.render(image_id).status)
