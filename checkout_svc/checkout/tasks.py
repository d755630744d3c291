"""Celery tasks. Each may run twice, late or not at all, since the order records what is due."""

from celery import shared_task

from .container import MAIL_TASK, dependencies


@shared_task(name=MAIL_TASK)
def send_confirmation(number: str) -> bool:
    """Send the order confirmation if it is due; return True if it was sent now."""
    return dependencies().order_mail.send_confirmation(number)
