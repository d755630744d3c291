"""Admin of products: prices in the list, variants and images in the form."""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.validators import MinValueValidator
from django.db import models
from django.utils.html import format_html_join

from catalog import repositories
from catalog.admin.shared import category_field, require_version
from catalog.container import dependencies
from catalog.domain import (
    CURRENCY,
    Money,
    Product,
    ProductImage,
    ProductStatus,
    RuleViolation,
    Variant,
    is_sku,
    is_slug,
)
from catalog.domain.names import is_attribute
from catalog.image_rendering import format_of
from catalog.input_serializers import MAX_AMOUNT
from chassis.admin import Column, DocumentAdmin, Inlines, document_model, mapping, money, register, text
from chassis.admin.forms import DocumentForm

_CENT = Decimal("0.01")


def _price(product: Product) -> Decimal:
    return (Decimal(product.cheapest.price.amount) / 100).quantize(_CENT)


def _put_price(product: Product, price: Money) -> None:
    product.cheapest.price = price


def _money(value: Decimal) -> Money:
    return Money(int(value * 100), CURRENCY)


ProductModel = document_model(
    repositories.PRODUCTS,
    lambda: dependencies().product_documents,
    app_label="catalog",
    verbose_name="product",
    verbose_name_plural="products",
    fields={
        "title": models.CharField(max_length=200),
        "slug": models.CharField(max_length=100, blank=True, help_text="in the address; made of the title"),
        "brand": models.CharField(max_length=100, blank=True),
        "description": text(max_length=20_000),
        "status": models.CharField(max_length=20, choices=[("active", "Active"), ("hidden", "Hidden")]),
        "price": Column(
            models.DecimalField(
                max_digits=12,
                decimal_places=2,
                validators=[MinValueValidator(_CENT)],
                verbose_name="price from",
            ),
            get=_price,
            put=_put_price,
            stored=_money,
        ),
        "skus": Column(
            models.CharField(max_length=2000, verbose_name="SKUs"),
            get=lambda product: ", ".join(product.skus),
        ),
        "stars": Column(
            models.CharField(max_length=40, verbose_name="rating"),
            get=lambda product: f"{product.rating.average or '–'} ({product.rating.count})",
        ),
    },
    ordering=["-created_at"],
)


class ProductForm(DocumentForm):
    """Product form with a field for uploading a picture."""

    picture = forms.FileField(required=False, help_text="JPEG, PNG, GIF or WebP; shown within seconds")
    picture_alt = forms.CharField(required=False, max_length=300, label="What the picture shows")

    def clean_picture(self) -> bytes | None:
        """Return the uploaded bytes.

        A bad picture is refused here, before anything else of the form is stored.
        """
        file = self.cleaned_data.get("picture")
        if not file:
            return None
        if file.size > dependencies().images.max_bytes:
            raise forms.ValidationError("The picture has too many bytes.")
        data: bytes = file.read()
        if format_of(data) is None:
            raise forms.ValidationError("Only JPEG, PNG, GIF and WebP pictures are taken.")
        return data


@register(ProductModel)
class ProductAdmin(DocumentAdmin):
    noun = "product"
    form = ProductForm
    refusals = (RuleViolation,)
    list_display = ["title", "brand", "category", "price", "status", "skus", "stars", "created_at"]
    list_display_links = ["title"]
    list_editable = ["price"]
    list_filter = ["status", "brand", "created_at"]
    search_help_text = "words of the shop's own search, a slug or an SKU"
    fieldsets = [
        (None, {"fields": ["title", "slug", "brand", "category", "status", "description"]}),
        ("Variants", {"fields": ["variants"]}),
        ("Pictures", {"fields": ["thumbnails", "images", "picture", "picture_alt"]}),
        ("Record", {"fields": ["stars", "created_at", "updated_at"]}),
    ]
    readonly_fields = ["thumbnails", "stars", "created_at", "updated_at"]
    form_parts = {
        "variants": Inlines(
            Variant,
            ["sku", "attributes", "price", "compare_at_price", "tax_class", "weight"],
            kinds={
                "sku": models.CharField(max_length=64),
                "price": money(CURRENCY),
                "compare_at_price": money(CURRENCY, optional=True),
                "attributes": mapping("attributes"),
                "tax_class": models.CharField(
                    max_length=20,
                    choices=[(c, c) for c in ("standard", "reduced", "zero")],
                    default="standard",
                ),
                "weight": models.PositiveIntegerField(default=0, blank=True, help_text="grams"),
            },
        ),
        "images": Inlines(ProductImage, ["alt"], extra=0),
    }
    actions = ["hide", "show"]

    def get_queryset(self, request: Any) -> Any:
        """Leave deleted products out.

        Their documents stay until every subscriber has received the deletion, but nobody edits them.
        """
        return super().get_queryset(request).filter(status__in=["active", "hidden"])

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        if db_field.name == "category":
            return category_field()
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def search(self, request: Any, term: str) -> list[str] | None:
        owner = dependencies().claims.owners_of_skus([term.strip()]) if is_sku(term.strip()) else {}
        return [*owner.values(), *dependencies().search.ids(term)]

    def create(self, request: Any, values: dict[str, Any]) -> Product:
        picture, alt = values.pop("picture", None), values.pop("picture_alt", "")
        values.pop("images", None)
        changes = _changes(None, values)
        if not changes.get("slug"):
            changes.pop("slug", None)
        product = dependencies().products.create(fields=changes)
        _upload(product, picture, alt)
        return product

    def store(self, request: Any, entity_id: str, values: dict[str, Any], version: int, note: Any) -> Product:
        picture, alt = values.pop("picture", None), values.pop("picture_alt", "")
        product = dependencies().product_documents.get(entity_id)
        changes = _changes(product, values)
        if changes:
            product = dependencies().products.update_by_id(
                id=entity_id, changes=changes, check_version=require_version(version), add_audit=note
            )
        _upload(product, picture, alt)
        return product

    def remove(self, request: Any, entity: Product) -> None:
        dependencies().products.remove(slug=entity.slug)

    @admin.display(description="shown now")
    def thumbnails(self, obj: Any) -> str:
        shown = [image for image in (obj.entity.images if obj and obj.entity else []) if image.renditions]
        return _pictures(settings.MEDIA_URL, shown) or "–"

    @admin.action(description="Hide selected products", permissions=["change"])
    def hide(self, request: Any, queryset: Any) -> None:
        self._set_status(request, queryset, ProductStatus.HIDDEN, "Hidden.")

    @admin.action(description="Show selected products", permissions=["change"])
    def show(self, request: Any, queryset: Any) -> None:
        self._set_status(request, queryset, ProductStatus.ACTIVE, "Shown.")

    def _set_status(self, request: Any, queryset: Any, status: ProductStatus, message: str) -> None:
        for row in queryset:
            dependencies().products.update_by_id(
                id=row.pk,
                changes={"status": status},
                add_audit=lambda product: self.note(request, product, action="change", message=message),
            )
        self.message_user(request, message)


def _pictures(media_url: str, images: list[ProductImage]) -> Any:
    return format_html_join(
        " ",
        '<img src="{}{}" alt="{}" width="80">',
        ((media_url, image.renditions[0].name, image.alt) for image in images),
    )


def _changes(product: Product | None, values: dict[str, Any]) -> dict[str, Any]:
    """Convert the form's values to the fields that the services take.

    Raises ValidationError for values that the API's serializer would refuse.
    """
    changes = dict(values)
    price = changes.pop("price", None)
    if price is not None and product is not None and "variants" not in changes:
        variants = copy.deepcopy(product.variants)
        min(variants, key=lambda variant: variant.price.amount).price = price
        changes["variants"] = variants
    if "images" in changes:
        changes["images"] = [{"id": image.id, "alt": image.alt} for image in changes["images"]]
    if "status" in changes:
        changes["status"] = ProductStatus(changes["status"])
    _check(changes)
    return changes


def _check(changes: dict[str, Any]) -> None:
    mistakes = []
    if changes.get("slug") and not is_slug(changes["slug"]):
        mistakes.append("A slug has small letters, digits and single dashes.")
    for variant in changes.get("variants", ()):
        if not is_sku(variant.sku):
            mistakes.append(f"{variant.sku}: an SKU has letters, digits, dots, dashes and _.")
        prices = [variant.price, *([variant.compare_at_price] if variant.compare_at_price else [])]
        if not all(0 < price.amount <= MAX_AMOUNT for price in prices):
            mistakes.append(f"{variant.sku}: a price is more than 0.")
        if not all(is_attribute(name) for name in variant.attributes):
            mistakes.append(f"{variant.sku}: names of attributes have small letters, digits and _.")
    if mistakes:
        raise forms.ValidationError(mistakes)


def _upload(product: Product, picture: bytes | None, alt: str) -> None:
    if picture:
        dependencies().images.upload(product=product, data=picture, alt=alt or "")
