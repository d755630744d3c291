"""The one place that chooses real parts."""

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
from catalog.pictures import Limits
from catalog.readmodel.browse import Browse
from catalog.readmodel.folder import IndexFolder
from catalog.readmodel.indexer import REPAIR_SECONDS, Indexer
from catalog.readmodel.reader import Reader
from catalog.readmodel.sources import Sources
from catalog.rendering import ImageProcessor, SandboxedProcessor
from catalog.services.categories import CategoryService
from catalog.services.claims import Claims
from catalog.services.correcting import Correction
from catalog.services.images import ImageService
from catalog.services.index_repairs import IndexRepairLog
from catalog.services.products import ProductService
from catalog.services.reactions import Reactions
from catalog.services.recent import RecentWrites
from catalog.services.reviews import ReviewService
from catalog.services.stock import StockService
from chassis import clock, ids
from chassis.background import Job
from chassis.couch import Collection, Repository, couch_repository, open_store
from chassis.couch.store import Store
from chassis.messaging import Envelope, Rejected, Relay, dead_letters
from chassis.wiring import Wiring


@dataclass(frozen=True)
class Parts:
    """Everything that views, the admin, tasks and the background use."""

    browse: Browse
    products: ProductService
    categories: CategoryService
    stock: StockService
    correction: Correction
    images: ImageService
    reviews: ReviewService
    reactions: Reactions
    claims: Claims
    indexer: Indexer
    index_repairs: IndexRepairLog
    recent: RecentWrites
    product_documents: Repository[Product]
    category_documents: Repository[Category]
    stock_documents: Repository[Stock]
    image_documents: Repository[Image]
    review_documents: Repository[Review]


@dataclass(frozen=True)
class Outside:
    """What differs between production and tests."""

    repository: Callable[[Collection], Repository]
    stores: Callable[[str], Store]
    folder: Path
    blobs: clients.Blobs
    renderer: clients.Renderer
    processor: ImageProcessor
    media_url: str
    limits: Limits
    clock: Callable[[], datetime] = clock.now
    new_id: Callable[[], str] = ids.new_id
    repair_seconds: float = REPAIR_SECONDS


def assemble(outside: Outside) -> Parts:
    """All parts over what is outside."""
    repository, now = outside.repository, outside.clock
    products = repository(repositories.PRODUCTS)
    categories = repository(repositories.CATEGORIES)
    stock = repository(repositories.STOCK)
    images = repository(repositories.IMAGES)
    purchases = repository(repositories.PURCHASES)
    reviews = repository(repositories.REVIEWS)
    slugs, skus = repository(repositories.SLUGS), repository(repositories.SKUS)
    folder = IndexFolder(outside.folder)
    claims = Claims(slugs, skus, products, now)
    stock_service = StockService(stock, skus, now)
    recent = RecentWrites()
    index_repairs = IndexRepairLog(repository(repositories.INDEX_REPAIRS), now, socket.gethostname())
    return Parts(
        browse=Browse(Reader(folder)),
        products=ProductService(products, categories, claims, stock_service, now, outside.new_id, recent),
        categories=CategoryService(categories, products, now),
        stock=stock_service,
        correction=Correction(stock, now),
        images=ImageService(
            images,
            products,
            outside.blobs,
            outside.renderer,
            outside.processor,
            outside.limits,
            now,
            outside.new_id,
        ),
        reviews=ReviewService(reviews, products, purchases, now),
        reactions=Reactions(purchases, reviews, now),
        claims=claims,
        indexer=Indexer(
            folder,
            Sources(products, categories, stock, purchases),
            outside.media_url,
            outside.stores,
            on_mended=index_repairs.record,
            repair_seconds=outside.repair_seconds,
        ),
        index_repairs=index_repairs,
        recent=recent,
        product_documents=products,
        category_documents=categories,
        stock_documents=stock,
        image_documents=images,
        review_documents=reviews,
    )


def _blobs() -> clients.Blobs:
    connection = settings.AZURE_STORAGE_CONNECTION_STRING
    return clients.AzureBlobs(connection, settings.AZURE_CONTAINER) if connection else clients.MemoryBlobs()


def BACKUP_EXTRA() -> dict[str, clients.BlobBackup]:  # noqa: N802 - read by the chassis beside COLLECTIONS
    """What is kept outside of the databases."""
    return {"pictures": clients.BlobBackup(_blobs())}


def _build() -> Parts:
    limits = Limits(settings.IMAGE_MAX_BYTES, settings.IMAGE_MAX_PIXELS)
    return assemble(
        Outside(
            repository=couch_repository,
            stores=open_store,
            folder=Path(settings.DATA_DIR),
            blobs=_blobs(),
            renderer=clients.CeleryRenderer(),
            media_url=settings.MEDIA_URL,
            processor=SandboxedProcessor(
                limits, settings.IMAGE_RENDER_MEMORY_MB, settings.IMAGE_RENDER_SECONDS
            ),
            limits=limits,
            repair_seconds=settings.INDEX_REPAIR_SECONDS,
        )
    )


_wiring: Wiring[Parts] = Wiring(_build)
parts = _wiring.parts
override = _wiring.override
reset = _wiring.reset


# -- facts heard


def _on(react: Callable[[Parts, Mapping[str, object]], str]) -> Callable[[Envelope], str]:
    def handle(envelope: Envelope) -> str:
        try:
            return react(parts(), envelope.data)
        except (KeyError, TypeError, ValueError) as error:
            raise Rejected(f"{envelope.type}: {type(error).__name__} {error}"[:200]) from error

    return handle


HANDLERS = {
    "order.confirmed": _on(lambda found, data: found.reactions.order_confirmed(data)),
    "order.cancelled": _on(lambda found, data: found.reactions.order_cancelled(data)),
    "account.erased": _on(lambda found, data: found.reactions.account_erased(data)),
}

# -- facts told

_SUBSCRIPTIONS = {
    "product.changed": ("cart", "reco"),
    "product.deleted": ("cart", "reco"),
    "availability.changed": ("cart", "reco"),
    "audit.recorded": ("logs",),
}
COLLECTIONS = (*repositories.COLLECTIONS, dead_letters("catalog"), dead_letters("stock"))


def _index(stop: threading.Event) -> None:
    parts().indexer.run(stop)


RELAYS = (Relay("catalog", _SUBSCRIPTIONS), Relay("stock", _SUBSCRIPTIONS))
BACKGROUND = [
    *(job for relay in RELAYS for job in relay.jobs()),
    Job("index", run=_index, replica=True),
    Job("pictures", run=lambda: parts().images.sweep(), every=15),
    Job("claims", run=lambda: parts().claims.sweep(), every=300),
]
READY = {
    "index": lambda: parts().browse.size(),
    "couchdb": lambda: open_store("stock").get_local("ready"),
}
#: Shoppers browse the index without it; staff and checkout are told 503.
SPARE = frozenset({"couchdb"})
