"""URLs of cart_svc under `/api/cart`, and the internal ones."""

from django.urls import path

from cart import views
from chassis.api import converters  # noqa: F401  # registers <id:> and <sku:>

api = [
    path("", views.CartView.as_view()),
    path("lines", views.LinesView.as_view()),
    path("lines/<sku:sku>", views.LineView.as_view()),
    path("lines/<sku:sku>/save", views.SaveView.as_view()),
    path("saved/<sku:sku>/restore", views.RestoreView.as_view()),
    path("coupon", views.CouponView.as_view()),
    path("merge", views.MergeView.as_view()),
]

internal = [
    path("carts/<id:cart_id>", views.InternalCartView.as_view()),
    path("carts/<id:cart_id>/claim", views.ClaimView.as_view()),
    path("carts/<id:cart_id>/unclaim", views.UnclaimView.as_view()),
    path("carts/<id:cart_id>/settle", views.SettleView.as_view()),
]
