"""The URLs of logs_svc under `/api/logs`, and the internal ones."""

from django.urls import path

from logs import views

api = [
    path("events", views.EventsView.as_view()),
    path("audit", views.AuditView.as_view()),
    path("stats/timeseries", views.TimeseriesView.as_view()),
    path("stats/funnel", views.FunnelView.as_view()),
    path("stats/top-products", views.TopProductsView.as_view()),
    path("stats/searches", views.SearchesView.as_view()),
    path("stats/widgets", views.WidgetsView.as_view()),
]

internal = [
    path("events", views.InternalEventsView.as_view()),
    path("audit", views.InternalAuditView.as_view()),
]
