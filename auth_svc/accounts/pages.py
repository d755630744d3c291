"""The pages of all admins together: signing in and out, and where staff begin."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.http import urlencode

from chassis.admin.content_security import protect
from chassis.admin.signon import SignOnDown, cookie_name, sign_on, user_of
from chassis.admin.sites import HOME, LOGIN, suite_of
from chassis.api.errors import NotAuthenticated, TooManyRequests, Unavailable
from chassis.api.throttling import Limit, client_address
from chassis.couch import CouchError

from .wiring import parts

WRONG = "The e-mail or the password is wrong, or this account has no access here."
LATER = "Too many attempts. Wait a minute and try again."
AWAY = "Signing in does not work just now. Try again in a moment."


class SignInForm(forms.Form):
    """What the page asks for; the browser's own checks are the kind ones, these are the ones that count."""

    email = forms.CharField(max_length=254)
    password = forms.CharField(max_length=1024, strip=False)


def login(request: HttpRequest) -> HttpResponse:
    """GET the page, POST to sign in; then on to `next`, if that is a page of the admins."""
    following = safe_next(request.POST.get("next") or request.GET.get("next") or "")
    if request.method != "POST":
        return _page(request, following)
    form = SignInForm(request.POST)
    if not form.is_valid():
        return _page(request, following, WRONG, 400)
    return _signed_in(request, form.cleaned_data, following)


def _signed_in(request: HttpRequest, typed: dict[str, Any], following: str) -> HttpResponse:
    try:
        _limit().check(client_address(request))
        secret, _ = parts().staff.sign_in(**typed)
    except NotAuthenticated:
        return _page(request, following, WRONG, 401)
    except TooManyRequests:
        return _page(request, following, LATER, 429)
    except (CouchError, Unavailable):
        return _page(request, following, AWAY, 503)
    response = HttpResponseRedirect(following or HOME)
    response.set_cookie(
        cookie_name(),
        secret,
        max_age=int(parts().staff.lifetime.total_seconds()),
        path="/",
        secure=settings.COOKIES_SECURE,
        httponly=True,
        samesite="Lax",
    )
    response["Cache-Control"] = "no-store"
    return response


def _limit() -> Limit:
    return Limit("log-in", rate=settings.AUTH_RATE, burst=settings.AUTH_RATE)


def logout(request: HttpRequest) -> HttpResponse:
    """GET asks, POST ends the session, here at once and in the other admins within a minute."""
    if request.method != "POST":
        return TemplateResponse(request, "accounts/logout.html", {}).render()
    secret = request.COOKIES.get(cookie_name(), "")
    try:
        parts().staff.sign_out(secret)
    except CouchError:
        return _page(request, "", AWAY, 503)
    sign_on().forget(secret)
    response = HttpResponseRedirect(LOGIN)
    response.delete_cookie(cookie_name(), path="/", samesite="Lax")
    return response


def safe_next(url: str) -> str:
    """The address if it is a page of our admins, else "": nobody is led elsewhere after signing in."""
    plain = url.startswith("/admin/") and not url.startswith((LOGIN, "/admin/auth/logout/"))
    return url if plain and url.isprintable() and "\\" not in url and "//" not in url else ""


def home(request: HttpRequest) -> HttpResponse:
    """The admins that this person may enter; who is not signed in is led to the sign-in page."""
    try:
        user = user_of(request)
    except SignOnDown:
        return protect(_page(request, HOME, AWAY, 503))
    if user is None:
        return HttpResponseRedirect(f"{LOGIN}?{urlencode({'next': HOME})}")
    context = {"admins": suite_of(user), "user": user}
    response = TemplateResponse(request, "accounts/home.html", context).render()
    response["Cache-Control"] = "no-store"
    return protect(response)


def _page(request: HttpRequest, following: str, error: str = "", status: int = 200) -> HttpResponse:
    context = {"next": following, "error": error, "email": request.POST.get("email", "")[:254]}
    response = TemplateResponse(request, "accounts/login.html", context, status=status).render()
    response["Cache-Control"] = "no-store"
    return response
