"""Addresses of the shop."""

from django.urls import path

from shop.views import account, cart, catalog, checkout, events, orders

urlpatterns = [
    path("", catalog.home, name="home"),
    path("search", catalog.search, name="search"),
    path("c/<str:slug>", catalog.category, name="category"),
    path("p/<str:slug>", catalog.product, name="product"),
    path("cart", cart.show, name="cart"),
    path("cart/add", cart.add, name="cart-add"),
    path("cart/change", cart.change, name="cart-change"),
    path("checkout", checkout.checkout, name="checkout"),
    path("orders", orders.mine, name="orders"),
    path("orders/<str:number>", orders.detail, name="order"),
    path("orders/<str:number>/cancel", orders.cancel, name="order-cancel"),
    path("signin", account.sign_in, name="sign-in"),
    path("signup", account.sign_up, name="sign-up"),
    path("signout", account.sign_out, name="sign-out"),
    path("forgot", account.forgot, name="forgot"),
    path("reset", account.reset, name="reset"),
    path("verify", account.verify, name="verify"),
    path("verify/now", account.verify_now, name="verify-now"),
    path("account", account.account, name="account"),
    path("privacy", events.privacy, name="privacy"),
    path("consent", events.consent, name="consent"),
    path("events", events.events, name="events"),
    path("fragments/header", cart.header, name="fragment-header"),
    path("fragments/for-you", catalog.for_you, name="fragment-for-you"),
    path("fragments/cart-shelf", catalog.cart_shelf, name="fragment-cart-shelf"),
    path("fragments/trending/<str:slug>", catalog.trending_shelf, name="fragment-trending"),
    path("forget", catalog.forget, name="forget"),
    path("fragments/suggest", catalog.suggest, name="fragment-suggest"),
    path("fragments/consent", events.banner, name="fragment-consent"),
    path("fragments/summary", checkout.summary, name="fragment-summary"),
    path("fragments/orders/<str:number>", orders.status, name="fragment-order"),
]
