"""Makes the chassis a Django app: its management commands are found, its admin templates too."""

from django.apps import AppConfig


class ChassisConfig(AppConfig):
    name = "chassis"
