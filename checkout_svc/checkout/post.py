"""The way a mail leaves: Django's backend, chosen by settings."""

from __future__ import annotations

from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMessage

from .services import Mail


class DjangoPost:
    """``Post`` over django.core.mail. The Message-ID follows from the mail, so a mail sent twice shows as
    one."""

    def send(self, mail: Mail) -> None:
        host = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip(">")
        headers = {"Message-ID": f"<{mail.id}@{host}>"}
        try:
            EmailMessage(mail.subject, mail.text, to=[mail.to], headers=headers).send()
        except SMTPException as error:
            raise OSError(str(error)) from error
