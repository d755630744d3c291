"""Signing in and up, forgotten passwords, and the account's page."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse

from chassis.siblings import Refused, SiblingDown
from shop.domain import checkout as checkouts
from shop.domain.outages import PAUSE
from shop.forms import ForgotForm, NameForm, ResetForm, SignInForm, SignUpForm, Styled
from shop.sessions import Shopper
from shop.views.answers import Again, outage, parts, pausing, redirect, render, safe_next
from shop.views.base import page
from shop.views.cart import adopt


@page(methods="GET HEAD POST")
def sign_in(request: HttpRequest, shopper: Shopper) -> HttpResponse:
    if request.method != "POST":
        return _sign_in_page(request, SignInForm())
    form = SignInForm(request.POST)
    if not form.is_valid():
        return _sign_in_page(request, form, status=400)
    try:
        tokens, name = parts().people.sign_in(shopper.caller, **form.cleaned_data)
    except Refused as no:
        return _sign_in_page(request, form, _sign_in_refusal(no), no.status)
    except SiblingDown as down:
        said = outage(down)
        return pausing(_sign_in_page(request, form, said.sentence, said.status), said.retry_after)
    shopper.sign_in(tokens, name)
    adopt(shopper)
    again = Again.carried(request)
    return _go_on(request, again) if again else redirect(safe_next(request))


def _go_on(request: HttpRequest, again: Again) -> HttpResponse:
    """The form that a sign-in interrupted, one press away; an order is shown before it is placed."""
    if again.path == "/checkout":
        again.fields.append(("update", "1"))
    context = {"title": "You are signed in again", "text": "Nothing you typed is lost.", "again": again}
    return render(request, "shop/message.html", context)


def _sign_in_page(request: HttpRequest, form: Styled, problem: str = "", status: int = 200) -> HttpResponse:
    again = Again.carried(request)
    context = {
        "form": form,
        "problem": problem,
        "next": safe_next(request, ""),
        "again": again,
        "signed_out": again is not None,
    }
    return render(request, "shop/sign_in.html", context, status)


def _sign_in_refusal(no: Refused) -> str:
    if "otp" in no.type or "otp" in (no.problem.get("errors") or {}):
        return "Please add the six-digit code of your authenticator app."
    if no.status in (400, 401):
        return "This e-mail and password do not go together."
    return str(no.problem.get("detail") or "Please try again.")


@page(methods="GET HEAD POST")
def sign_up(request: HttpRequest, shopper: Shopper) -> HttpResponse:
    if request.method != "POST":
        return _sign_up_page(request, SignUpForm())
    form = SignUpForm(request.POST)
    if not form.is_valid():
        return _sign_up_page(request, form, status=400)
    try:
        tokens, name = parts().people.sign_up(shopper.caller, **form.cleaned_data)
    except Refused as no:
        return _sign_up_page(request, form, _sign_up_refusal(form, no), no.status)
    except SiblingDown as down:
        said = outage(down)
        return pausing(_sign_up_page(request, form, said.sentence, said.status), said.retry_after)
    shopper.sign_in(tokens, name)
    adopt(shopper)
    return redirect(safe_next(request, "/account"))


def _sign_up_page(request: HttpRequest, form: Styled, problem: str = "", status: int = 200) -> HttpResponse:
    context = {"form": form, "problem": problem, "next": safe_next(request, "")}
    return render(request, "shop/sign_up.html", context, status)


def _sign_up_refusal(form: Styled, no: Refused) -> str:
    if no.status == 409:
        form.add_error("email", "There is already an account with this e-mail. You can sign in instead.")
        return ""
    rest = form.refuse(checkouts.flat(no.problem.get("errors") or {}))
    return " ".join(rest) or ("" if form.errors else str(no.problem.get("detail") or "Please try again."))


@page(methods="POST")
def sign_out(request: HttpRequest, shopper: Shopper) -> HttpResponse:
    if shopper.get("refresh"):
        parts().people.sign_out(shopper.caller, shopper.get("refresh"))
    shopper.sign_out()
    return redirect("/")


@page(methods="GET HEAD POST")
def forgot(request: HttpRequest, shopper: Shopper) -> HttpResponse:
    """Answers alike whether or not there is such an account."""
    form = ForgotForm(request.POST if request.method == "POST" else None)
    sent, problem, status, seconds = False, "", 200, PAUSE
    if form.is_bound and form.is_valid():
        try:
            parts().people.forgot(shopper.caller, form.cleaned_data["email"])
            sent = True
        except SiblingDown as down:
            said = outage(down)
            problem, status, seconds = said.sentence, said.status, said.retry_after
        except Refused as no:
            problem, status = str(no.problem.get("detail") or "Please try again."), no.status
    context = {"form": form, "sent": sent, "problem": problem}
    return pausing(render(request, "shop/forgot.html", context, status), seconds)


@page(methods="GET HEAD POST")
def reset(request: HttpRequest, shopper: Shopper) -> HttpResponse:
    if request.method != "POST":
        form = ResetForm(initial={"token": request.GET.get("token", "")[:1000]})
        return render(request, "shop/reset.html", {"form": form})
    form = ResetForm(request.POST)
    problem, status, seconds = "", 400, PAUSE
    if form.is_valid():
        try:
            parts().people.reset(shopper.caller, form.cleaned_data["token"], form.cleaned_data["password"])
            # Every session of the account has ended with the old password.
            shopper.sign_out()
            return render(request, "shop/reset.html", {"done": True})
        except Refused as no:
            problem, status = _reset_refusal(form, no), no.status
        except SiblingDown as down:
            said = outage(down)
            problem, status, seconds = said.sentence, said.status, said.retry_after
    context = {"form": form, "problem": problem, "ended": status not in (429, 503)}
    return pausing(render(request, "shop/reset.html", context, status), seconds)


def _reset_refusal(form: Styled, no: Refused) -> str:
    errors: dict[str, Any] = no.problem.get("errors") or {}
    if "password" in errors:
        form.refuse({"password": checkouts.flat(errors)["password"]})
        return ""
    return "This link has been used or is too old. Please ask for a new one."


@page()
def verify(request: HttpRequest, shopper: Shopper) -> HttpResponse:
    """The link in the welcome mail leads here; the button sends it, so that a mail scanner's visit changes
    nothing."""
    return render(request, "shop/verify.html", {"token": request.GET.get("token", "")[:1000]})


@page(methods="POST")
def verify_now(request: HttpRequest, shopper: Shopper) -> HttpResponse:
    token = request.POST.get("token", "")[:1000]
    try:
        parts().people.verify(shopper.caller, token)
    except Refused as no:
        return render(request, "shop/verify.html", {"failed": True}, no.status)
    except SiblingDown as down:
        said = outage(down)
        context = {"token": token, "problem": said.sentence}
        return pausing(render(request, "shop/verify.html", context, said.status), said.retry_after)
    return render(request, "shop/verify.html", {"done": True})


@page(signed_in=True, methods="GET HEAD POST")
def account(request: HttpRequest, shopper: Shopper) -> HttpResponse:
    people = parts().people
    me = people.me(shopper.caller)
    form = NameForm(request.POST) if request.method == "POST" else NameForm(initial={"name": me.get("name")})
    if form.is_bound and form.is_valid():
        try:
            me = people.rename(shopper.caller, form.cleaned_data["name"])
            shopper.set("name", quote(str(me["name"])[:80], safe=""))
            return redirect("/account?saved=1")
        except Refused as no:
            if no.status == 401:
                raise
            form.refuse(checkouts.flat(no.problem.get("errors") or {}))
    context = {"me": me, "form": form, "saved": "saved" in request.GET}
    return render(request, "shop/account.html", context, 400 if form.errors else 200)
