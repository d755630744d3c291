"""Health for the gateway, and everything else for shoppers."""

from django.urls import include, path

from chassis.observe import health

urlpatterns = [
    path("livez", health.livez, name="livez"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics_view, name="metrics"),
    path("", include("shop.urls")),
]

handler400 = "shop.views.answers.bad_request"
handler404 = "shop.views.answers.not_found"
handler500 = "shop.views.answers.server_error"
