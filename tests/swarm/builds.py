"""Images to update to, each two lines on top of the real one: a good one, and two that are broken."""

from __future__ import annotations

import io
import uuid

from tests.swarm.stack import Stack

GOOD = "LABEL hivemart.good=yes"
CRASHING = 'CMD ["python3", "-c", "raise SystemExit(\'this image is broken\')"]'
# It runs, and never listens: only the health check can tell.
NEVER_HEALTHY = 'CMD ["sleep", "600"]'


def build(stack: Stack, service: str, line: str) -> str:
    """Return the reference of a new image made of the one that the service runs now."""
    spec = stack.cluster.service(service)["Spec"]["TaskTemplate"]["ContainerSpec"]
    mark = uuid.uuid4().hex[:8]
    text = f"FROM {spec['Image']}\nLABEL hivemart.test={mark}\n{line}\n"
    reference = f"hivemart-{service}:test-{mark}"
    stack.docker().images.build(fileobj=io.BytesIO(text.encode()), tag=reference, rm=True)
    return reference


def remove(stack: Stack) -> None:
    """All that any run has built here."""
    for image in stack.docker().images.list(filters={"label": "hivemart.test"}):
        stack.docker().images.remove(image.id, force=True)


def image_of(stack: Stack, service: str) -> str:
    spec = stack.cluster.service(service)["Spec"]["TaskTemplate"]["ContainerSpec"]
    return str(spec["Image"])
