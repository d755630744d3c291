"""Routes of docs/api.md."""

from __future__ import annotations

from django.urls import path

from catalog.views import categories, images, products, public, reviews, stock
from catalog.views import internal as inside
from chassis.api import converters  # noqa: F401 - registers <id:…> and <sku:…>

api = [
    path("products", products.ProductsView.as_view(), name="products"),
    path("products/<id:slug>", products.ProductView.as_view(), name="product"),
    path("products/<id:slug>/images", images.ProductImagesView.as_view(), name="product-images"),
    path("products/<id:slug>/reviews", reviews.ReviewsView.as_view(), name="product-reviews"),
    path("suggest", public.SuggestView.as_view(), name="suggest"),
    path("categories", categories.CategoriesView.as_view(), name="categories"),
    path("categories/<id:slug>", categories.CategoryView.as_view(), name="category"),
    path("stock/<sku:sku>", stock.StockView.as_view(), name="stock"),
    path("stock/<sku:sku>/adjustments", stock.AdjustmentsView.as_view(), name="stock-adjustments"),
    path("images/<id:id>", images.ImageView.as_view(), name="image"),
]

internal = [
    path("skus", inside.SkusView.as_view(), name="internal-skus"),
    path("reservations", inside.ReservationsView.as_view(), name="internal-reservations"),
    path("reservations/correct", inside.ReconcileView.as_view(), name="internal-correct"),
    path("reservations/<id:order_id>/commit", inside.CommitView.as_view(), name="internal-commit"),
    path("reservations/<id:order_id>/release", inside.ReleaseView.as_view(), name="internal-release"),
]
