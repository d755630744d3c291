"""Composition root: the one place that chooses real adapters."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings

from catalog import clients, repositories
from catalog.domain import Category, Image, Product, Review, Stock
from catalog.image_rendering import Limits
from catalog.readmodel.catalog_search import CatalogSearch
from catalog.readmodel.folder import IndexFolder
from catalog.readmodel.indexer import REPAIR_SECONDS, Indexer
from catalog.readmodel.reader import IndexReader
from catalog.readmodel.sources import Sources
from catalog.render_process import ImageProcessor, SandboxedProcessor
from catalog.services.categories import CategoryService
from catalog.services.claims import Claims
from catalog.services.event_handlers import EventHandlers
from catalog.services.images import ImageService
from catalog.services.index_repairs import IndexRepairLog
from catalog.services.products import ProductService
from catalog.services.recent_writes import RecentWrites
from catalog.services.reconciliation import StockReconciliation
from catalog.services.reviews import ReviewService
from catalog.services.stock import StockService
from chassis import clock, ids
from chassis.background import Job
from chassis.container import Container
from chassis.couch import Collection, Repository, couch_repository, open_store
from chassis.couch.store import Store
from chassis.messaging import Envelope, Rejected, Relay, dead_letters


@dataclass(frozen=True)
class Dependencies:
    """Services and repositories that views, the admin, tasks and background jobs use."""

    search: CatalogSearch
    products: ProductService
    categories: CategoryService
    stock: StockService
    reconciliation: StockReconciliation
    images: ImageService
    reviews: ReviewService
    event_handlers: EventHandlers
    claims: Claims
    indexer: Indexer
    index_repairs: IndexRepairLog
    recent_writes: RecentWrites
    product_documents: Repository[Product]
    category_documents: Repository[Category]
    stock_documents: Repository[Stock]
    image_documents: Repository[Image]
    review_documents: Repository[Review]


@dataclass(frozen=True)
class Adapters:
    """Dependencies that differ between production and tests."""

    repository: Callable[[Collection], Repository]
    stores: Callable[[str], Store]
    folder: Path
    blobs: clients.BlobStore
    renderer: clients.RenderQueue
    processor: ImageProcessor
    media_url: str
    limits: Limits
    clock: Callable[[], datetime] = clock.now
    new_id: Callable[[], str] = ids.new_id
    repair_seconds: float = REPAIR_SECONDS


def bootstrap(adapters: Adapters) -> Dependencies:
    """Build all dependencies on the given adapters."""
    repository, now = adapters.repository, adapters.clock
    products = repository(repositories.PRODUCTS)
    categories = repository(repositories.CATEGORIES)
    stock = repository(repositories.STOCK)
    images = repository(repositories.IMAGES)
    purchases = repository(repositories.PURCHASES)
    reviews = repository(repositories.REVIEWS)
    slugs, skus = repository(repositories.SLUGS), repository(repositories.SKUS)
    folder = IndexFolder(adapters.folder)
    claims = Claims(slugs, skus, products, now)
    stock_service = StockService(stock, skus, now)
    recent_writes = RecentWrites()
    index_repairs = IndexRepairLog(repository(repositories.INDEX_REPAIRS), now, socket.gethostname())
    return Dependencies(
        search=CatalogSearch(IndexReader(folder)),
        products=ProductService(
            products, categories, claims, stock_service, now, adapters.new_id, recent_writes
        ),
        categories=CategoryService(categories, products, now),
        stock=stock_service,
        reconciliation=StockReconciliation(stock, now),
        images=ImageService(
            images,
            products,
            adapters.blobs,
            adapters.renderer,
            adapters.processor,
            adapters.limits,
            now,
            adapters.new_id,
        ),
        reviews=ReviewService(reviews, products, purchases, now),
        event_handlers=EventHandlers(purchases, reviews, now),
        claims=claims,
        indexer=Indexer(
            folder,
            Sources(products, categories, stock, purchases),
            adapters.media_url,
            adapters.stores,
            on_repaired=index_repairs.record,
            repair_seconds=adapters.repair_seconds,
        ),
        index_repairs=index_repairs,
        recent_writes=recent_writes,
        product_documents=products,
        category_documents=categories,
        stock_documents=stock,
        image_documents=images,
        review_documents=reviews,
    )


def _blobs() -> clients.BlobStore:
    connection = settings.AZURE_STORAGE_CONNECTION_STRING
    return (
        clients.AzureBlobStore(connection, settings.AZURE_CONTAINER)
        if connection
        else clients.InMemoryBlobStore()
    )


def BACKUP_EXTRA() -> dict[str, clients.BlobBackup]:  # noqa: N802 - read by chassis beside COLLECTIONS
    """Return the backup sources outside of the databases."""
    return {"pictures": clients.BlobBackup(_blobs())}


def _build() -> Dependencies:
    limits = Limits(settings.IMAGE_MAX_BYTES, settings.IMAGE_MAX_PIXELS)
    return bootstrap(
        Adapters(
            repository=couch_repository,
            stores=open_store,
            folder=Path(settings.DATA_DIR),
            blobs=_blobs(),
            renderer=clients.CeleryRenderQueue(),
            media_url=settings.MEDIA_URL,
            processor=SandboxedProcessor(
                limits, settings.IMAGE_RENDER_MEMORY_MB, settings.IMAGE_RENDER_SECONDS
            ),
            limits=limits,
            repair_seconds=settings.INDEX_REPAIR_SECONDS,
        )
    )


_container: Container[Dependencies] = Container(_build)
dependencies = _container.get
override = _container.override
reset = _container.reset


# -- incoming events


def _on(react: Callable[[Dependencies, Mapping[str, object]], str]) -> Callable[[Envelope], str]:
    def handle(envelope: Envelope) -> str:
        try:
            return react(dependencies(), envelope.data)
        except (KeyError, TypeError, ValueError) as error:
            raise Rejected(f"{envelope.type}: {type(error).__name__} {error}"[:200]) from error

    return handle


HANDLERS = {
    "order.confirmed": _on(lambda found, data: found.event_handlers.order_confirmed(data)),
    "order.cancelled": _on(lambda found, data: found.event_handlers.order_cancelled(data)),
    "account.erased": _on(lambda found, data: found.event_handlers.account_erased(data)),
}

# -- outgoing events

_SUBSCRIPTIONS = {
    "product.changed": ("reco",),
    "product.deleted": ("reco",),
    "availability.changed": ("reco",),
    "audit.recorded": ("logs",),
}
COLLECTIONS = (*repositories.COLLECTIONS, dead_letters("catalog"), dead_letters("stock"))


def _index(stop: threading.Event) -> None:
    dependencies().indexer.run(stop)


RELAYS = (Relay("catalog", _SUBSCRIPTIONS), Relay("stock", _SUBSCRIPTIONS))
BACKGROUND = [
    *(job for relay in RELAYS for job in relay.jobs()),
    Job("index", run=_index, replica=True),
    Job("pictures", run=lambda: dependencies().images.requeue_overdue(), every=15),
    Job("claims", run=lambda: dependencies().claims.release_orphans(), every=300),
]
READY = {
    "index": lambda: dependencies().search.size(),
    "couchdb": lambda: open_store("stock").get_local("ready"),
}
#: Shoppers use the index without CouchDB; staff and checkout get 503.
SPARE = frozenset({"couchdb"})
