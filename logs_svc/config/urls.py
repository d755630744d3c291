"""Where this service's addresses start; the chassis adds health, docs and the admin."""

from chassis.service import urlpatterns as mount
from logs.urls import api, internal

urlpatterns = mount(api=api, internal=internal)
