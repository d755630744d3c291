"""Celery tasks. Each may run twice, late or not at all, since the documents record what is due."""

from celery import shared_task

from .container import MAIL_TASK, dependencies


@shared_task(name=MAIL_TASK, autoretry_for=(OSError,), max_retries=3, retry_backoff=5, retry_backoff_max=60)
def send_mail(request_id: str) -> bool:
    """Send the mail of this request; return True if it was sent now."""
    return dependencies().account_mail.deliver(request_id)
