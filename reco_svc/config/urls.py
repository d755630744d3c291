"""The root of this service's URLs; the chassis adds health, docs and the admin."""

from chassis.service import urlpatterns as mount
from reco.urls import api, internal

urlpatterns = mount(api=api, internal=internal)
