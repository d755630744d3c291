"""Makes the chassis a Django app: its management commands are found, its admin templates too."""

from django.apps import AppConfig


class ChassisConfig(AppConfig):
    name = "chassis"

    def ready(self) -> None:
        """No service has a database that Django knows: there is nothing to reset or close around requests."""
        from django import db
        from django.core.signals import request_finished, request_started

        request_started.disconnect(db.reset_queries)
        request_started.disconnect(db.close_old_connections)
        request_finished.disconnect(db.close_old_connections)
