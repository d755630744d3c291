"""Where this service's addresses start: no API of its own; the chassis adds health and the admin."""

from chassis.service import urlpatterns as mount

urlpatterns = mount(api=[])
