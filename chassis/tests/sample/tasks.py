"""One task, to prove that what is sent is run."""

from pathlib import Path

from celery import shared_task


@shared_task(name="sample.write")
def write(path: str, text: str) -> None:
    Path(path).write_text(text)
