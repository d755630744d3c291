"""Where this service's addresses start; the chassis adds health, docs and the admin."""

from accounts.urls import api, internal
from chassis.service import urlpatterns as mount

urlpatterns = mount(api=api, internal=internal)
