"""Forms for typed text.

They check what a message beside the field can explain; the services check the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms

from shop.domain.checkout import COUNTRIES, TEST_CARDS


class ShopForm(forms.Form):
    """Form whose fields have the needed HTML attributes and keep what was typed."""

    use_required_attribute = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
        self.set_required_messages()

    def set_required_messages(self) -> None:
        for name, field in self.fields.items():
            field.error_messages["required"] = f"Please fill in: {str(field.label or name).lower()}."

    def add_errors(self, errors: Mapping[str, list[str]]) -> list[str]:
        """Add a service's messages to their fields; return those that have no field here."""
        rest: list[str] = []
        for name, reasons in errors.items():
            if name in self.fields:
                for reason in reasons:
                    self.add_error(name, reason)
            else:
                rest += reasons
        return rest


def _text(
    label: str,
    autocomplete: str,
    *,
    max_length: int = 120,
    required: bool = True,
    kind: str = "text",
    **attrs: str,
) -> forms.CharField:
    widget = forms.TextInput(attrs={"autocomplete": autocomplete, "maxlength": max_length, **attrs})
    widget.input_type = kind
    return forms.CharField(label=label, max_length=max_length, required=required, widget=widget)


def _email() -> forms.EmailField:
    field = forms.EmailField(
        label="E-mail",
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email", "inputmode": "email"}),
    )
    field.error_messages["invalid"] = "Please write it like name@example.com."
    return field


def _password(label: str, autocomplete: str) -> forms.CharField:
    widget = forms.PasswordInput(attrs={"autocomplete": autocomplete})
    return forms.CharField(label=label, max_length=128, strip=False, widget=widget)


def _country() -> forms.ChoiceField:
    return forms.ChoiceField(
        label="Country",
        choices=COUNTRIES,
        initial="BE",
        widget=forms.Select(attrs={"autocomplete": "country"}),
    )


def _address(prefix: str, section: str, *, required: bool) -> dict[str, forms.Field]:
    def name(field: str) -> str:
        return f"{section} {field}"

    return {
        prefix + "name": _text("Full name", name("name"), required=required),
        prefix + "line1": _text("Street and number", name("address-line1"), required=required),
        prefix + "line2": _text("Flat, floor, company", name("address-line2"), required=False),
        prefix + "postal_code": _text("Postal code", name("postal-code"), max_length=20, required=required),
        prefix + "city": _text("Town or city", name("address-level2"), required=required),
        prefix + "country": _country(),
    }


class CheckoutForm(ShopForm):
    """Checkout form, on one page."""

    email = _email()
    shipping_method = forms.CharField(label="Delivery", max_length=60)
    card = forms.ChoiceField(
        label="Card", choices=[(token, name) for token, name, _ in TEST_CARDS], initial="tok_ok"
    )
    other_billing = forms.BooleanField(label="The invoice goes to another address", required=False)
    phone = _text("Phone, for the carrier", "tel", max_length=40, required=False, kind="tel", inputmode="tel")
    key = forms.CharField(max_length=255)
    expected_amount = forms.IntegerField(min_value=0, required=False)
    expected_currency = forms.CharField(max_length=3, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        other = bool(self.data.get("other_billing"))
        self.fields.update(_address("", "shipping", required=True))
        self.fields.update(_address("billing_", "billing", required=other))
        self.set_required_messages()
        if not other:
            for name, field in self.fields.items():
                # A country is always selected; it means nothing unless the box is ticked.
                if name.startswith("billing_"):
                    field.required = False
                    field.widget.is_required = False

    def values(self) -> dict[str, Any]:
        """Return the values filled in so far, even if they are not enough for an order."""
        if self.is_bound:
            return {name: self.data.get(name, "") for name in self.fields}
        return {name: self.get_initial_for_field(field, name) or "" for name, field in self.fields.items()}


class SignInForm(ShopForm):
    email = _email()
    password = _password("Password", "current-password")
    otp = _text(
        "Six-digit code, if you use one", "one-time-code", max_length=32, required=False, inputmode="numeric"
    )


class SignUpForm(ShopForm):
    name = _text("Name", "name", max_length=80)
    email = _email()
    password = _password("Password", "new-password")

    def clean_password(self) -> str:
        return _check_length(self.cleaned_data["password"])


class ForgotForm(ShopForm):
    email = _email()


class ResetForm(ShopForm):
    token = forms.CharField(max_length=1000, widget=forms.HiddenInput())
    password = _password("New password", "new-password")

    def clean_password(self) -> str:
        return _check_length(self.cleaned_data["password"])


class NameForm(ShopForm):
    name = _text("Name", "name", max_length=80)


def _check_length(password: str) -> str:
    if len(password) < 8:
        raise forms.ValidationError("Please take at least 8 characters.")
    return password
