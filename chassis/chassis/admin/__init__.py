"""Django's own admin over documents: stock templates and views, no SQL anywhere.

How a service writes its `admin.py` (found and imported by Django at start):

    from chassis.admin import (Card, Chart, Column, DocumentAdmin, Inlines, Table, document_model, money,
                               parts_table, register, register_dead_letters, site, text)
    from . import repositories, container

    ProductModel = document_model(
        repositories.PRODUCTS,                # a chassis.couch.Collection; lists walk its indexes
        lambda: container.parts().products,      # how to get the repository, asked for at each use
        app_label="catalog", verbose_name="product", verbose_name_plural="products",
        fields={                              # only what the types do not say by themselves
            "description": text(),            # any models.Field, text(), money(), choice(), mapping()
            "price": money("EUR"),            # minor units (or a Money(amount, currency)); decimal in forms
            "sku": Column(models.CharField(), get=lambda product: product.variants[0].sku),  # computed
        },
        ordering=["-created_at"],             # leading fields of an index, all in one direction
    )

    @register(ProductModel)
    class ProductAdmin(DocumentAdmin):
        noun = "product"                      # permissions catalog.product.read and catalog.product.write
        list_display = ["title", "brand", "status", "price", "created_at"]
        list_filter = ["status", "brand", "created_at"]  # Boolean, choices, AllValuesFieldListFilter, dates
        list_editable = ["price"]
        search_fields = ["title", "slug"]     # or override search(request, term) -> ids | None
        readonly_fields = ["created_at", "variants"]     # lists and nested parts show as tables
        actions = ["hide"]

        @admin.action(description="Hide selected products", permissions=["write"])
        def hide(self, request, queryset):
            for product in queryset:
                container.parts().service.product_hide(product.pk)
                self.log_change(request, product, "Hidden.")

        # What is behind "Save", where the plain way (set the fields, raise the version, keep the audit
        # event, save: one write) is not enough. `values` holds what was typed, as the entity holds it.
        def create(self, request, values) -> entity: ...         # stored by it, or by the caller
        def change(self, request, entity, values) -> None: ...   # in memory; may run twice
        def store(self, request, entity_id, values, version, note) -> entity: ...  # the whole write
        def remove(self, request, entity) -> None: ...           # what deletion means for what has an outbox

Each object of the admin (in list_display callables, actions, templates) is a model instance with `.entity`,
the aggregate itself. `has_add`, `has_change`, `has_delete` = False on the class switch a thing off; an action
of an aggregate whose form is closed takes `permissions=["write"]`. Raise `ValidationError` (Django's), an API
problem or one of the class's `refusals` in create, change, store: it is shown beside the form, with nothing
typed lost. `chassis.couch.Conflict` and a stale version are shown in the same way.

Nested parts edited in place: `form_parts = {"variants": Inlines(Variant, ["sku", "price"])}`, see parts.py.
Dead letters: `register_dead_letters(container.RELAY, app_label="catalog", noun="product")`.

Dashboard, on the index page of the service's admin; one that fails does not take the page with it:

    @site.dashboard
    def dashboard(request):
        return [Card("Low stock", 3, note="below 5", tone="warn", url="/admin/catalog/catalog/stock/"),
                Table("Last imports", ["file", "rows"], [["a.csv", 12]]),
                Chart("Orders a day", [("Mon", 3), ("Tue", 5)], style="bar")]     # or "line"

A page of its own: `site.page("tryout/", view, title="Try a product", permission="reco.model.read")`; the view
gets (request, context) and returns a TemplateResponse whose template extends "admin/base_site.html".

`request.user` in the admin is a StaffUser: `.id`, `.name`, `.principal`, `.token` (the person's access token,
to pass on to services), `.has_perm("catalog.product.write")`.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_EXPORTS = {
    "Card": "widgets",
    "Chart": "widgets",
    "Column": "fields",
    "DocumentAdmin": "options",
    "Inlines": "inlines",
    "Table": "widgets",
    "choice": "fields",
    "document_model": "models_factory",
    "money": "fields",
    "mail_card": "widgets",
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
