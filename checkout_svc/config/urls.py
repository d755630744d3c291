"""Root URLs of this service; chassis adds health, docs and the admin."""

from chassis.service import urlpatterns as mount
from checkout.urls import api, internal

urlpatterns = mount(api=api, internal=internal)
