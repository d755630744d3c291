"""Mailer over Django's e-mail backend, which the settings choose."""

from __future__ import annotations

from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMessage

from .services import Mail


class DjangoMailer:
    """``Mailer`` over django.core.mail.

    The Message-ID is derived from the mail's id, so that receivers can recognise a duplicate.
    """

    def send(self, mail: Mail) -> None:
        host = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip(">")
        headers = {"Message-ID": f"<{mail.id}@{host}>"}
        try:
            EmailMessage(mail.subject, mail.text, to=[mail.to], headers=headers).send()
        except SMTPException as error:
            raise OSError(str(error)) from error
