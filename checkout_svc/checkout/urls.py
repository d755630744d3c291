"""URLs of this service, under /api/checkout."""

from django.urls import path

from chassis.api import converters  # noqa: F401  # importing registers <id:…>

from . import views

api = [
    path("shipping-methods", views.ShippingMethods.as_view(), name="shipping-methods"),
    path("payment-methods", views.PaymentMethods.as_view(), name="payment-methods"),
    path("quotes", views.Quotes.as_view(), name="quotes"),
    path("orders", views.Orders.as_view(), name="orders"),
    path("orders/<id:number>", views.Order.as_view(), name="order"),
    path("orders/<id:number>/cancel", views.Cancel.as_view(), name="order-cancel"),
    path("orders/<id:number>/shipments", views.Shipments.as_view(), name="order-shipments"),
    path("orders/<id:number>/deliver", views.Deliver.as_view(), name="order-deliver"),
    path("orders/<id:number>/refunds", views.Refunds.as_view(), name="order-refunds"),
    path("test-payments/<id:payment_id>", views.TestPayment.as_view(), name="test-payment"),
]
internal: list = []
