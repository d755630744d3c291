"""Django's own admin over documents: stock templates and views, no SQL anywhere.

How a service writes its `admin.py` (found and imported by Django at start):

    from chassis.admin import (Card, Chart, Column, DocumentAdmin, Table, document_model, money, parts_table,
                               register, site, text)
    from . import repositories, wiring
    from .domain import Coupon, Product

    ProductModel = document_model(
        repositories.PRODUCTS,                      # a chassis.couch.Collection; it needs one Index at least
        lambda: wiring.parts().products,            # how to get the repository, asked for at each use
        app_label="catalog", verbose_name="product", verbose_name_plural="products",
        fields={                                    # only what the types do not say by themselves
            "description": text(),                  # any models.Field; text(), money("EUR"), choice(EnumOrPairs)
            "price": money("EUR"),                  # an int in minor units (or a Money(amount, currency)); decimal in forms
            "first_sku": Column(models.CharField(), get=lambda product: product.variants[0].sku),   # computed
        },
        ordering=["-created_at"],                   # must be leading fields of an Index, one direction
    )

    @register(ProductModel)
    class ProductAdmin(DocumentAdmin):
        noun = "product"                            # permissions catalog.product.read and catalog.product.write
        list_display = ["title", "brand", "status", "price", "created_at"]
        list_filter = ["status", "brand", "created_at"]   # Boolean, choices, AllValuesFieldListFilter, dates
        list_editable = ["price"]
        search_fields = ["title", "slug"]           # or override `search(request, term) -> list of ids | None`
        readonly_fields = ["created_at", "variants"]      # lists and nested parts show as read-only tables
        actions = ["hide"]

        @admin.action(description="Hide selected products", permissions=["change"])
        def hide(self, request, queryset):
            for product in queryset:
                wiring.parts().service.product_hide(product.pk)
                self.log_change(request, product, "Hidden.")

        # What is behind "Save", where the plain way (set the fields, raise version, save, audit) is not enough:
        def create(self, request, values) -> entity: …            # values: {field: value} as the form cleaned them
        def change(self, request, entity, values) -> None: …      # alter the entity in memory; called inside repository.update,
                                                                  # perhaps twice; the version is raised and the audit kept for you
        def store(self, request, entity_id, values, version, note) -> entity   # or take over the whole write:
                                                                  # call a service, then `note(entity)` inside its write is optional
        def remove(self, request, entity) -> None: …              # deletion as a state; without it an aggregate
                                                                  # with an outbox cannot be deleted in the admin

Each object of the admin (in list_display callables, actions, templates) is a model instance with `.entity`, the
aggregate itself. `has_add = False`, `has_change = False`, `has_delete = False` on the class switch a thing off.
Raise `django.core.exceptions.ValidationError` in create/change/store/remove to have it shown beside the form with
nothing typed lost; `chassis.couch.Conflict` and a stale version are shown in the same way.

Nested parts that are edited in place: `form_parts = {"variants": Parts(Variant, ["sku", "price", ...])}`, see parts.py.

Dashboard, shown on the index page of the service's admin; keep it quick, one failing card does not take the page:

    @site.dashboard
    def dashboard(request):
        return [Card("Low stock", 3, note="below 5", tone="warn", url="/admin/catalog/catalog/stock/"),
                Table("Last imports", ["file", "rows"], [["a.csv", 12]]),
                Chart("Orders a day", [("Mon", 3), ("Tue", 5)], style="bar")]     # style: bar or line

An extra page of the service: `site.page("tryout/", view, title="Try a product", permission="reco.model.read")`;
the view gets (request, context) and returns a TemplateResponse whose template extends "admin/base_site.html".

Signed on: `request.user` in the admin is a StaffUser with `.id`, `.name`, `.principal`, `.token` (access token of the
person, to pass on to siblings) and `.has_perm("catalog.product.write")`.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_EXPORTS = {
    "Card": "widgets",
    "Chart": "widgets",
    "Column": "fields",
    "DocumentAdmin": "options",
    "Parts": "parts",
    "Table": "widgets",
    "choice": "fields",
    "document_model": "models_factory",
    "money": "fields",
    "mapping": "fields",
    "parts_table": "widgets",
    "register_dead_letters": "dead_letters",
    "register": "sites",
    "site": "sites",
    "text": "fields",
}

__all__ = sorted(_EXPORTS)  # noqa: PLE0605 - names below are resolved lazily


def __getattr__(name: str) -> Any:
    """Import on first use: Django imports this package before its app registry is ready."""
    if name not in _EXPORTS:
        raise AttributeError(name)
    return getattr(import_module(f"chassis.admin.{_EXPORTS[name]}"), name)
