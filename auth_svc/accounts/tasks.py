"""Jobs. Each may run twice, late or not at all: what is due stands in the store."""

from celery import shared_task

from .wiring import MAIL_TASK, parts


@shared_task(name=MAIL_TASK, autoretry_for=(OSError,), max_retries=3, retry_backoff=5, retry_backoff_max=60)
def send_mail(request_id: str) -> bool:
    """The mail that was asked for under this id; whether it left just now."""
    return parts().mailing.deliver(request_id)
