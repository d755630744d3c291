"""A Django model from an aggregate's dataclass: never stored by Django, answered by the repository."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import models

from .content_types import remember
from .fields import HIDDEN, Column, columns
from .queryset import DocumentQuerySet
from .widgets import parts_table


@dataclasses.dataclass(frozen=True)
class Source:
    """Where the objects of a model come from; kept on the model as `source`."""

    collection: Any
    repository: Callable[[], Any]
    columns: dict[str, Column]

    @property
    def has_outbox(self) -> bool:
        """Whether the aggregate can carry events: its staff writes are told to the audit trail."""
        return any(field.name == "events" for field in dataclasses.fields(self.collection.type))


class DocumentModel(models.Model):
    """Base of the generated models: fields as Django wants them, and the aggregate itself as `entity`."""

    source: Source
    entity: Any = None

    class Meta:
        abstract = True
        managed = False

    def __str__(self) -> str:
        if self.entity is not None and "__str__" in vars(type(self.entity)):
            return str(self.entity)
        shown = (
            getattr(self, name, None) for name in ("title", "name", "number", "code", "sku", "email", "id")
        )
        return next((str(value) for value in shown if value), str(self.pk))

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Refused: writes go through DocumentAdmin, which calls the repository or a service."""
        raise TypeError("a document model is saved by its DocumentAdmin")

    @classmethod
    def from_entity(cls, entity: Any) -> DocumentModel:
        """Return the model instance that shows this aggregate."""
        values = {name: column.get(entity) for name, column in cls.source.columns.items()}
        instance = cls(id=entity.id, version=getattr(entity, "version", 0), **values)
        instance.entity = entity
        instance._state.adding = False
        return instance


def document_model(
    collection: Any,
    repository: Callable[[], Any],
    *,
    app_label: str,
    verbose_name: str,
    verbose_name_plural: str = "",
    name: str = "",
    fields: Mapping[str, Any] | None = None,
    ordering: Sequence[str] = (),
) -> type[DocumentModel]:
    """Return the unmanaged model of a collection; see `chassis.admin` for an example."""
    source = Source(collection, repository, columns(collection.type, dict(fields or {})))
    meta = type(
        "Meta",
        (),
        {
            "app_label": app_label,
            "managed": False,
            "default_permissions": (),
            "verbose_name": verbose_name,
            "verbose_name_plural": verbose_name_plural or f"{verbose_name}s",
            "ordering": list(ordering),
        },
    )
    body: dict[str, Any] = {
        "__module__": f"{app_label}.admin",
        "Meta": meta,
        "source": source,
        "objects": DocumentQuerySet.as_manager(),
        "id": models.CharField(primary_key=True, max_length=255, editable=False),
        "version": models.BigIntegerField(default=0, editable=False),
        **_model_fields(source),
        **_part_properties(collection.type, source),
    }
    model: type[DocumentModel] = type(name or collection.type.__name__, (DocumentModel,), body)
    remember(model)
    return model


def _model_fields(source: Source) -> dict[str, models.Field]:
    found = {}
    for name, column in source.columns.items():
        if column.put is None:
            column.field.editable = False
        found[name] = column.field
    return found


def _part_properties(entity_type: type, source: Source) -> dict[str, property]:
    """Return read-only tables for lists and nested dataclasses, under their own names."""

    def show(name: str) -> property:
        def table(self: DocumentModel) -> Any:
            return parts_table(getattr(self.entity, name)) if self.entity is not None else "-"

        table.short_description = name.replace("_", " ")  # type: ignore[attr-defined]
        return property(table)

    names = [field.name for field in dataclasses.fields(entity_type)]
    return {name: show(name) for name in names if name not in source.columns and name not in HIDDEN}


def is_field(model: type[models.Model], name: str) -> bool:
    """Whether the model has a field of that name."""
    try:
        model._meta.get_field(name)
    except FieldDoesNotExist:
        return False
    return True
