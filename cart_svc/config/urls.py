"""Root URLs of this service; chassis adds health, docs and the admin."""

from cart.urls import api, internal
from chassis.service import urlpatterns as mount

urlpatterns = mount(api=api, internal=internal)
