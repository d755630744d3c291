"""Root URL configuration; chassis adds health, docs and the admin."""

from catalog.urls import api, internal
from chassis.service import urlpatterns as mount

urlpatterns = mount(api=api, internal=internal)
