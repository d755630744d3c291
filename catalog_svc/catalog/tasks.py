"""Jobs. Each names a document that says what is to be done, and may run twice."""

from __future__ import annotations

from celery import shared_task

from catalog import wiring


@shared_task(name="catalog.tasks.render_image")
def render_image(image_id: str) -> str:
    """Make an uploaded picture's renditions; answers the image's status."""
    return str(wiring.parts().images.render(image_id).status)
