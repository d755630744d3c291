"""Root URL configuration: health for the gateway, and the pages."""

from django.urls import include, path

from chassis.observability import health

urlpatterns = [
    path("livez", health.livez, name="livez"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics_view, name="metrics"),
    path("", include("shop.urls")),
]

handler400 = "shop.views.responses.bad_request"
handler404 = "shop.views.responses.not_found"
handler500 = "shop.views.responses.server_error"
