"""The admin's own app: the staff user, the suite's templates and styles."""

from django.apps import AppConfig


class ChassisAdminConfig(AppConfig):
    name = "chassis.admin"
    label = "chassis_admin"
    verbose_name = "Hivemart admin"

    def ready(self) -> None:
        """Content types would come from a table; here they are the models themselves."""
        from django.apps import apps

        from .content_types import remember

        for model in apps.get_models():
            remember(model)
