"""Serializers of requests, and schemas of responses."""

from __future__ import annotations

from typing import Any

from chassis.api import serializers
from chassis.identity.permissions_catalogue import ROLES

from .countries import COUNTRIES

#: No characters that could end a line in a mail's header, or reverse the direction of text.
_VISIBLE = r"^[^\x00-\x1f\x7f\u2028\u2029\u202a-\u202e\u2066-\u2069]*\Z"
MAX_PASSWORD_INPUT = 1024  # of what is read at all; the limit of 128 has a message of its own


def _line(max_length: int, **options: Any) -> serializers.RegexField:
    return serializers.RegexField(_VISIBLE, max_length=max_length, **options)


def _password() -> serializers.CharField:
    return serializers.CharField(max_length=MAX_PASSWORD_INPUT, trim_whitespace=False)


class Register(serializers.Strict):
    email = serializers.EmailField(max_length=254)
    password = _password()
    name = _line(100)


class SignIn(serializers.Strict):
    email = serializers.CharField(max_length=254)
    password = _password()
    otp = serializers.CharField(max_length=64, required=False, allow_blank=True, allow_null=True)


class Refresh(serializers.Strict):
    refresh = serializers.CharField(max_length=512)


class Email(serializers.Strict):
    email = serializers.EmailField(max_length=254)


class Token(serializers.Strict):
    token = serializers.CharField(max_length=512)


class Reset(Token):
    password = _password()


class ChangePassword(serializers.Strict):
    old = _password()
    new = _password()


class Password(serializers.Strict):
    password = _password()


class Profile(serializers.Strict):
    name = _line(100)


class Session(serializers.Strict):
    session = serializers.CharField(max_length=256)


class Address(serializers.Strict):
    name = _line(100)
    line1 = _line(120)
    line2 = _line(120, required=False, allow_blank=True, default="")
    postal_code = _line(20)
    city = _line(100)
    region = _line(100, required=False, allow_blank=True, default="")
    country = serializers.ChoiceField(COUNTRIES)
    phone = serializers.RegexField(r"^[0-9+()./ -]{0,30}\Z", required=False, allow_blank=True, default="")


# -- responses


class UserResponse(serializers.Serializer):
    id = serializers.CharField()
    email = serializers.EmailField()
    name = serializers.CharField()
    email_verified = serializers.BooleanField()
    roles = serializers.ListField(child=serializers.ChoiceField(sorted(ROLES)))
    created_at = serializers.DateTimeField()


class PairResponse(serializers.Serializer):
    access = serializers.CharField()
    refresh = serializers.CharField()
    token_type = serializers.CharField()
    expires_in = serializers.IntegerField()


class RegisterResponse(PairResponse):
    user = UserResponse()


class AddressResponse(Address):
    id = serializers.CharField()


class AddressList(serializers.Serializer):
    results = AddressResponse(many=True)
    next = serializers.CharField(allow_null=True)


class KeySet(serializers.Serializer):
    keys = serializers.ListField(child=serializers.DictField())


class Exchange(serializers.Serializer):
    access = serializers.CharField()
    expires_in = serializers.IntegerField()
    user = UserResponse()


class Export(serializers.Serializer):
    account = serializers.DictField()
