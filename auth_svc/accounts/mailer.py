"""Mailer over Django's e-mail backend, which the settings choose."""

from __future__ import annotations

from smtplib import SMTPException

from django.core.mail import EmailMessage

from .services import Mail


class DjangoMailer:
    """`Mailer` over django.core.mail."""

    def send(self, mail: Mail) -> None:
        try:
            EmailMessage(mail.subject, mail.text, to=[mail.to]).send()
        except SMTPException as error:
            raise OSError(str(error)) from error
