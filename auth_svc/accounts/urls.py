"""URLs under /api/auth and /internal."""

from django.urls import path

from chassis.api import converters  # noqa: F401 - registers <id:…>

from .views import me, passwords, tokens

api = [
    path("register", tokens.Register.as_view()),
    path("token", tokens.Token.as_view()),
    path("token/refresh", tokens.Refresh.as_view()),
    path("token/revoke", tokens.Revoke.as_view()),
    path(".well-known/jwks.json", tokens.Jwks.as_view()),
    path("me", me.Me.as_view()),
    path("me/export", me.Export.as_view()),
    path("me/erase", me.Erase.as_view()),
    path("me/addresses", me.Addresses.as_view()),
    path("me/addresses/<id:address_id>", me.AddressDetail.as_view()),
    path("password/forgot", passwords.Forgot.as_view()),
    path("password/reset", passwords.Reset.as_view()),
    path("password/change", passwords.Change.as_view()),
    path("email/verify", passwords.Verify.as_view()),
]
internal = [path("sessions/token", tokens.StaffToken.as_view())]
