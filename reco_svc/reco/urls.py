"""The URLs of reco_svc under `/api/reco/`."""

from django.urls import path

from reco import views

api = [
    path("similar/<str:product_id>", views.SimilarView.as_view()),
    path("together", views.TogetherView.as_view()),
    path("for-you", views.ForYouView.as_view()),
    path("trending", views.TrendingView.as_view()),
    path("trainings", views.TrainingsView.as_view()),
    path("trainings/<str:training_id>", views.TrainingView.as_view()),
    path("trainings/<str:training_id>/cancel", views.CancelView.as_view()),
]
internal: list = []
