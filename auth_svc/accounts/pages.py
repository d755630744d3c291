"""Sign-in, sign-out and start page, which all admins share."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.http import urlencode

from chassis.admin.content_security import protect
from chassis.admin.sites import HOME, LOGIN, suite_of
from chassis.admin.sso import SignOnDown, cookie_name, sign_on, user_of
from chassis.api.errors import NotAuthenticated, TooManyRequests, Unavailable
from chassis.api.throttling import Limit, client_address
from chassis.couch import CouchError

from .container import dependencies

INVALID_CREDENTIALS = "The e-mail or the password is wrong, or this account has no access here."
TOO_MANY_ATTEMPTS = "Too many attempts. Wait a minute and try again."
UNAVAILABLE = "Signing in does not work just now. Try again in a moment."


class SignInForm(forms.Form):
    """The sign-in form, validated again on the server."""

    email = forms.CharField(max_length=254)
    password = forms.CharField(max_length=1024, strip=False)


def login(request: HttpRequest) -> HttpResponse:
    """Show the sign-in page; on POST sign in and redirect to `next` if that is a page of the admins."""
    next_url = safe_next(request.POST.get("next") or request.GET.get("next") or "")
    if request.method != "POST":
        return _page(request, next_url)
    form = SignInForm(request.POST)
    if not form.is_valid():
        return _page(request, next_url, INVALID_CREDENTIALS, 400)
    return _sign_in(request, form.cleaned_data, next_url)


def _sign_in(request: HttpRequest, credentials: dict[str, Any], next_url: str) -> HttpResponse:
    try:
        _limit().check(client_address(request))
        secret, _ = dependencies().staff.sign_in(**credentials)
    except NotAuthenticated:
        return _page(request, next_url, INVALID_CREDENTIALS, 401)
    except TooManyRequests:
        return _page(request, next_url, TOO_MANY_ATTEMPTS, 429)
    except (CouchError, Unavailable):
        return _page(request, next_url, UNAVAILABLE, 503)
    response = HttpResponseRedirect(next_url or HOME)
    response.set_cookie(
        cookie_name(),
        secret,
        max_age=int(dependencies().staff.lifetime.total_seconds()),
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
    """Ask for confirmation; on POST end the session, in other admins within a minute."""
    if request.method != "POST":
        return TemplateResponse(request, "accounts/logout.html", {}).render()
    secret = request.COOKIES.get(cookie_name(), "")
    try:
        dependencies().staff.sign_out(secret)
    except CouchError:
        return _page(request, "", UNAVAILABLE, 503)
    sign_on().forget(secret)
    response = HttpResponseRedirect(LOGIN)
    response.delete_cookie(cookie_name(), path="/", samesite="Lax")
    return response


def safe_next(url: str) -> str:
    """Return the URL if it is a page of the admins, else "", to prevent open redirects."""
    plain = url.startswith("/admin/") and not url.startswith((LOGIN, "/admin/auth/logout/"))
    return url if plain and url.isprintable() and "\\" not in url and "//" not in url else ""


def home(request: HttpRequest) -> HttpResponse:
    """List the admins that the user may open; redirect to the sign-in page if not signed in."""
    try:
        user = user_of(request)
    except SignOnDown:
        return protect(_page(request, HOME, UNAVAILABLE, 503))
    if user is None:
        return HttpResponseRedirect(f"{LOGIN}?{urlencode({'next': HOME})}")
    context = {"admins": suite_of(user), "user": user}
    response = TemplateResponse(request, "accounts/home.html", context).render()
    response["Cache-Control"] = "no-store"
    return protect(response)


def _page(request: HttpRequest, next_url: str, error: str = "", status: int = 200) -> HttpResponse:
    context = {"next": next_url, "error": error, "email": request.POST.get("email", "")[:254]}
    response = TemplateResponse(request, "accounts/login.html", context, status=status).render()
    response["Cache-Control"] = "no-store"
    return response
