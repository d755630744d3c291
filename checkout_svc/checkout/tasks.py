"""Jobs. Each may run twice, late or not at all: what is due stands in the order."""

from celery import shared_task

from .wiring import MAIL_TASK, parts


@shared_task(name=MAIL_TASK)
def send_confirmation(number: str) -> bool:
    """The mail that tells the buyer that the order is confirmed; whether it went out just now."""
    return parts().mailing.send_confirmation(number)
