"""Django's admin app with the suite's site as its default.

It is a module of its own, for apps.py may hold one config.
"""

from django.contrib.admin.apps import AdminConfig


class SuiteAdminConfig(AdminConfig):
    default = False
    default_site = "chassis.admin.sites.SuiteSite"
