"""The form of an aggregate: knows the version that it was opened at, and tells the second of two editors."""

from __future__ import annotations

from typing import Any

from django import forms
from django.forms.models import BaseModelFormSet
from django.utils.safestring import SafeString, mark_safe

VERSION = "document_version"


class StaleVersion(Exception):
    """The aggregate was changed between opening the form and writing it."""


class VersionField(forms.IntegerField):
    """Hidden, and never itself a change."""

    widget = forms.HiddenInput

    def has_changed(self, initial: Any, data: Any) -> bool:
        return False


class DocumentForm(forms.ModelForm):
    """`late_error` is set by the admin when the write was refused after the form had been found good."""

    document_version = VersionField(required=False)
    late_error: forms.ValidationError | None = None
    late_pk: str | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        entity = getattr(self.instance, "entity", None)
        self.initial[VERSION] = self.instance.version if entity is not None else None
        for name, field in self.fields.items():
            if hasattr(field, "known") and entity is not None:
                field.known = self.initial[name] = list(getattr(entity, name) or ())

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self._is_stale(cleaned.get(VERSION)):
            self._tell_stale()
        if self.late_error is not None and self.late_pk in (None, self.instance.pk):
            self.add_error(None, self.late_error)
        return cleaned

    def _is_stale(self, version: int | None) -> bool:
        editing = self.instance.entity is not None
        return editing and self.has_changed() and version != self.instance.version

    def _tell_stale(self) -> None:
        """Show what others changed meanwhile; what was typed stays, and saving again is then a decision."""
        self.add_error(
            None,
            "Somebody else changed this while you were editing; nothing was saved. "
            "What you typed is still here. Save again to overwrite what is there now:",
        )
        for name in self.changed_data:
            now = self.initial.get(name)
            shown = "see the page" if isinstance(now, list) else now
            self.add_error(name if name in self.fields else None, f"It is now: {shown}")
        self.data = self.data.copy()
        self.data[self.add_prefix(VERSION)] = str(self.instance.version)


class IdAndVersion(forms.HiddenInput):
    """The stock list prints a row's id and no other hidden field, so the version travels beside it."""

    def __init__(self, form: forms.ModelForm) -> None:
        super().__init__()
        self.form = form

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        version = forms.HiddenInput().render(
            self.form.add_prefix(VERSION),
            self.form.data.get(self.form.add_prefix(VERSION), self.form.instance.version),
            {},
            renderer,
        )
        return mark_safe(super().render(name, value, attrs, renderer) + version)  # noqa: S308 - both are rendered widgets


class DocumentFormSet(BaseModelFormSet):
    """Rows of a list that are edited in place."""

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        form.fields[self.model._meta.pk.name].widget = IdAndVersion(form)
