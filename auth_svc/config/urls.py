"""Root URLs of this service; chassis adds health, docs and the admin."""

from django.urls import path

from accounts import pages
from accounts.urls import api, internal
from chassis.admin.sites import HOME
from chassis.service import urlpatterns as mount

urlpatterns = [path(HOME.lstrip("/"), pages.home, name="staff-home"), *mount(api=api, internal=internal)]
