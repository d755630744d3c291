"""Pages of sign-in, sign-up, forgotten passwords, and the account."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse

from chassis.clients import Refused, ServiceUnavailable
from shop.domain import checkout as checkouts
from shop.domain.outages import DEFAULT_RETRY_SECONDS
from shop.forms import ForgotForm, NameForm, ResetForm, ShopForm, SignInForm, SignUpForm
from shop.sessions import Shopper
from shop.views.base import page
from shop.views.cart import merge_guest_cart
from shop.views.responses import (
    ResubmittableForm,
    dependencies,
    describe_outage,
    redirect,
    render,
    safe_next,
    set_retry_after,
)


@page(methods="GET HEAD POST")
def sign_in(request: HttpRequest, shopper: Shopper) -> HttpResponse:
    if request.method != "POST":
        return _sign_in_page(request, SignInForm())
    form = SignInForm(request.POST)
    if not form.is_valid():
        return _sign_in_page(request, form, status=400)
    try:
        tokens, name = dependencies().accounts.sign_in(shopper.caller, **form.cleaned_data)
    except Refused as refused:
        return _sign_in_page(request, form, _sign_in_refusal(refused), refused.status)
    except ServiceUnavailable as down:
        outage = describe_outage(down)
        return set_retry_after(
            _sign_in_page(request, form, outage.sentence, outage.status), outage.retry_after
        )
    shopper.sign_in(tokens, name)
    merge_guest_cart(shopper)
    again = ResubmittableForm.carried(request)
    return _go_on(request, again) if again else redirect(safe_next(request))


def _go_on(request: HttpRequest, again: ResubmittableForm) -> HttpResponse:
    """Offer the form that a sign-in interrupted; an order is shown before it is placed."""
    if again.path == "/checkout":
        again.fields.append(("update", "1"))
    context = {"title": "You are signed in again", "text": "Nothing you typed is lost.", "again": again}
    return render(request, "shop/message.html", context)


def _sign_in_page(request: HttpRequest, form: ShopForm, problem: str = "", status: int = 200) -> HttpResponse:
    again = ResubmittableForm.carried(request)
    context = {
        "form": form,
        "problem": problem,
        "next": safe_next(request, ""),
        "again": again,
        "signed_out": again is not None,
    }
    return render(request, "shop/sign_in.html", context, status)


def _sign_in_refusal(refused: Refused) -> str:
    if "otp" in refused.type or "otp" in (refused.problem.get("errors") or {}):
        return "Please add the six-digit code of your authenticator app."
    if refused.status in (400, 401):
        return "This e-mail and password do not go together."
    return str(refused.problem.get("detail") or "Please try again.")


@page(methods="GET HEAD POST")
def sign_up(request: HttpRequest, shopper: Shopper) -> HttpResponse:
    if request.method != "POST":
        return _sign_up_page(request, SignUpForm())
    form = SignUpForm(request.POST)
    if not form.is_valid():
        return _sign_up_page(request, form, status=400)
    try:
        tokens, name = dependencies().accounts.sign_up(shopper.caller, **form.cleaned_data)
    except Refused as refused:
        return _sign_up_page(request, form, _sign_up_refusal(form, refused), refused.status)
    except ServiceUnavailable as down:
        outage = describe_outage(down)
        return set_retry_after(
            _sign_up_page(request, form, outage.sentence, outage.status), outage.retry_after
        )
    shopper.sign_in(tokens, name)
    merge_guest_cart(shopper)
    return redirect(safe_next(request, "/account"))


def _sign_up_page(request: HttpRequest, form: ShopForm, problem: str = "", status: int = 200) -> HttpResponse:
    context = {"form": form, "problem": problem, "next": safe_next(request, "")}
    return render(request, "shop/sign_up.html", context, status)


def _sign_up_refusal(form: ShopForm, refused: Refused) -> str:
    if refused.status == 409:
        form.add_error("email", "There is already an account with this e-mail. You can sign in instead.")
        return ""
    rest = form.add_errors(checkouts.flatten_errors(refused.problem.get("errors") or {}))
    return " ".join(rest) or (
        "" if form.errors else str(refused.problem.get("detail") or "Please try again.")
    )


@page(methods="POST")
def sign_out(request: HttpRequest, shopper: Shopper) -> HttpResponse:
    if shopper.get("refresh"):
        dependencies().accounts.sign_out(shopper.caller, shopper.get("refresh"))
    shopper.sign_out()
    return redirect("/")


@page(methods="GET HEAD POST")
def forgot(request: HttpRequest, shopper: Shopper) -> HttpResponse:
    """Respond alike for known and unknown accounts."""
    form = ForgotForm(request.POST if request.method == "POST" else None)
    sent, problem, status, seconds = False, "", 200, DEFAULT_RETRY_SECONDS
    if form.is_bound and form.is_valid():
        try:
            dependencies().accounts.forgot(shopper.caller, form.cleaned_data["email"])
            sent = True
        except ServiceUnavailable as down:
            outage = describe_outage(down)
            problem, status, seconds = outage.sentence, outage.status, outage.retry_after
        except Refused as refused:
            problem, status = str(refused.problem.get("detail") or "Please try again."), refused.status
    context = {"form": form, "sent": sent, "problem": problem}
    return set_retry_after(render(request, "shop/forgot.html", context, status), seconds)


@page(methods="GET HEAD POST")
def reset(request: HttpRequest, shopper: Shopper) -> HttpResponse:
    if request.method != "POST":
        form = ResetForm(initial={"token": request.GET.get("token", "")[:1000]})
        return render(request, "shop/reset.html", {"form": form})
    form = ResetForm(request.POST)
    problem, status, seconds = "", 400, DEFAULT_RETRY_SECONDS
    if form.is_valid():
        try:
            dependencies().accounts.reset(
                shopper.caller, form.cleaned_data["token"], form.cleaned_data["password"]
            )
            # A new password ends every session of the account.
            shopper.sign_out()
            return render(request, "shop/reset.html", {"done": True})
        except Refused as refused:
            problem, status = _reset_refusal(form, refused), refused.status
        except ServiceUnavailable as down:
            outage = describe_outage(down)
            problem, status, seconds = outage.sentence, outage.status, outage.retry_after
    context = {"form": form, "problem": problem, "ended": status not in (429, 503)}
    return set_retry_after(render(request, "shop/reset.html", context, status), seconds)


def _reset_refusal(form: ShopForm, refused: Refused) -> str:
    errors: dict[str, Any] = refused.problem.get("errors") or {}
    if "password" in errors:
        form.add_errors({"password": checkouts.flatten_errors(errors)["password"]})
        return ""
    return "This link has been used or is too old. Please ask for a new one."


@page()
def verify(request: HttpRequest, shopper: Shopper) -> HttpResponse:
    """Show the button behind the link in the welcome mail.

    Only the button verifies, so that a mail scanner's visit changes nothing.
    """
    return render(request, "shop/verify.html", {"token": request.GET.get("token", "")[:1000]})


@page(methods="POST")
def verify_now(request: HttpRequest, shopper: Shopper) -> HttpResponse:
    token = request.POST.get("token", "")[:1000]
    try:
        dependencies().accounts.verify(shopper.caller, token)
    except Refused as refused:
        return render(request, "shop/verify.html", {"failed": True}, refused.status)
    except ServiceUnavailable as down:
        outage = describe_outage(down)
        context = {"token": token, "problem": outage.sentence}
        return set_retry_after(
            render(request, "shop/verify.html", context, outage.status), outage.retry_after
        )
    return render(request, "shop/verify.html", {"done": True})


@page(signed_in=True, methods="GET HEAD POST")
def account(request: HttpRequest, shopper: Shopper) -> HttpResponse:
    accounts = dependencies().accounts
    me = accounts.me(shopper.caller)
    form = NameForm(request.POST) if request.method == "POST" else NameForm(initial={"name": me.get("name")})
    if form.is_bound and form.is_valid():
        try:
            me = accounts.rename(shopper.caller, form.cleaned_data["name"])
            shopper.set("name", quote(str(me["name"])[:80], safe=""))
            return redirect("/account?saved=1")
        except Refused as refused:
            if refused.status == 401:
                raise
            form.add_errors(checkouts.flatten_errors(refused.problem.get("errors") or {}))
    context = {"me": me, "form": form, "saved": "saved" in request.GET}
    return render(request, "shop/account.html", context, 400 if form.errors else 200)
