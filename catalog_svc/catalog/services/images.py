"""Pictures: an upload waits in its own document until a worker has made renditions of it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from catalog import pictures
from catalog.clients import Blobs, Renderer, StoreAway
from catalog.domain import Image, ImageStatus, Product, ProductImage, RuleBroken
from catalog.domain.product import MAX_IMAGES
from catalog.pictures import Limits, NotAPicture
from catalog.services import facts
from catalog.services.facts import Actor
from chassis.couch import NotFound, Repository

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]
_ORIGINAL = "original"
#: The sweeper asks again for what waits longer than this, and gives up after so many attempts.
ASK_AGAIN_AFTER = timedelta(seconds=20)
MAX_ATTEMPTS = 50


class UnsupportedPicture(Exception):
    """The first bytes are not those of a picture that we take."""


class TooLargePicture(Exception):
    """More bytes than the limit."""


class ImageService:
    def __init__(
        self, images: Repository[Image], products: Repository[Product], blobs: Blobs, renderer: Renderer,
        limits: Limits, clock: Clock, new_id: Callable[[], str],
    ) -> None:  # fmt: skip
        self._images = images
        self._products = products
        self._blobs = blobs
        self._renderer = renderer
        self._limits = limits
        self._clock = clock
        self._new_id = new_id

    @property
    def max_bytes(self) -> int:
        return self._limits.max_bytes

    def get(self, id: str) -> Image:
        return self._images.get(id)

    def upload(self, *, product: Product, data: bytes, alt: str, actor: Actor | None = None) -> Image:
        """Keep the bytes and ask for renditions. Raises `UnsupportedPicture`, `TooLargePicture`,
        `RuleBroken`.
        """
        if len(data) > self._limits.max_bytes:
            raise TooLargePicture
        kind = pictures.format_of(data)
        if kind is None:
            raise UnsupportedPicture
        if len(product.images) >= MAX_IMAGES:
            raise RuleBroken("too-many-images", f"A product has {MAX_IMAGES} pictures at most.")
        image = self._images.add(Image(self._new_id(), product.id, alt, created_at=self._clock()))
        image = self._images.attach(image, _ORIGINAL, data, pictures.CONTENT_TYPES[kind])
        self._note(product.id, actor, image)
        self._renderer.ask(image.id)
        return image

    def _note(self, product_id: str, actor: Actor | None, image: Image) -> None:
        if actor is None:
            return

        def change(product: Product) -> None:
            message = f"Uploaded picture {image.id}."
            facts.audited(product, actor, "change", "product", product.title, message, self._clock())

        self._products.update(product_id, change)

    def render(self, id: str) -> Image:
        """Make and store the renditions, then show the picture. Repeating it changes nothing."""
        image = self._images.get(id)
        if not image.is_waiting:
            return image
        image = self._images.update(id, _attempt)
        try:
            rendered = pictures.render(self._images.attachment(id, _ORIGINAL), self._limits)
            for rendition, data in rendered:
                self._blobs.put(rendition.name, data, "image/webp")
        except (NotAPicture, NotFound) as error:
            reason = (
                str(error) if isinstance(error, NotAPicture) else "The upload was cut off; send it again."
            )
            return self._fail(id, reason)
        except StoreAway as error:
            log.warning("image %s waits for the blob store: %s", id, error)
            return self._fail(id, "The store of pictures did not answer.") if _is_hopeless(image) else image
        shown = ProductImage(image.id, image.alt, tuple(rendition for rendition, _ in rendered))
        return self._show(image, shown)

    def _show(self, image: Image, shown: ProductImage) -> Image:
        """First the product, then the image's own state: a crash between the two is repeated by the
        sweeper.
        """

        def attach(product: Product) -> None:
            product.attach(shown)

        try:
            self._products.update(image.product_id, attach)
        except NotFound:
            return self._fail(image.id, "The product has gone.")
        done = self._images.update(image.id, lambda i: i.finish(shown.renditions, self._clock()))
        return self._images.detach(done, _ORIGINAL)

    def _fail(self, id: str, reason: str) -> Image:
        return self._images.update(id, lambda image: image.fail(reason, self._clock()))

    def retry(self, id: str) -> Image:
        """Try a failed picture again; the upload is kept until it was rendered."""
        image = self._images.update(id, Image.retry)
        self._renderer.ask(id)
        return image

    def sweep(self) -> int:
        """Ask again for the pictures that wait too long: the queue may have been lost. Answers how many."""
        limit = self._clock() - ASK_AGAIN_AFTER
        page = self._images.find("status", {"status": ImageStatus.PROCESSING}, end=limit, limit=50)
        for image in page.items:
            self._renderer.ask(image.id)
        return len(page.items)


def _attempt(image: Image) -> None:
    image.attempts += 1


def _is_hopeless(image: Image) -> bool:
    return image.attempts >= MAX_ATTEMPTS
