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
from catalog.rendering import ImageProcessor, RenderingFailed
from catalog.services import facts
from catalog.services.facts import Actor
from chassis.couch import CouchError, NotFound, Repository

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]
_ORIGINAL = "original"
#: The sweeper asks again for what waits longer than this.
ASK_AGAIN_AFTER = timedelta(seconds=20)
#: Pictures that are looked at, and asked for, in one sweep.
_PAGE, _PAGES = 50, 4


class UnsupportedPicture(Exception):
    """The first bytes are not those of a picture that we take."""


class TooLargePicture(Exception):
    """More bytes than the limit."""


class ImageService:
    def __init__(
        self, images: Repository[Image], products: Repository[Product], blobs: Blobs, renderer: Renderer,
        processor: ImageProcessor, limits: Limits, clock: Clock, new_id: Callable[[], str],
    ) -> None:  # fmt: skip
        self._images = images
        self._products = products
        self._blobs = blobs
        self._renderer = renderer
        self._processor = processor
        self._limits = limits
        self._clock = clock
        self._new_id = new_id
        self._swept_to: str | None = None

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
        """Make and store the renditions, then show the picture. Repeating it changes nothing.

        Every attempt is counted before it is made. What cannot be shown fails with a reason; what may go well
        another time is tried again later, a few times; for a blob store that is away a picture waits as long
        as it takes.
        """
        image, begun = self._begin(id)
        if not begun:
            return image
        try:
            return self._render(image)
        except NotAPicture as error:
            return self._fail(id, str(error))
        except NotFound:
            return self._fail(id, "The upload was cut off; send it again.")
        except StoreAway as error:
            log.warning("image %s waits for the blob store: %s", id, error)
            reason = "The store of pictures does not answer; it is tried again."
            return self._images.update(id, lambda image: image.wait(reason, self._clock()))
        except CouchError:  # nothing can be noted now; the attempt is counted already
            raise
        except RenderingFailed as error:
            return self._stumble(id, str(error))
        except Exception as error:
            log.exception("image %s could not be rendered", id)
            return self._stumble(id, f"Something went wrong: {type(error).__name__}.")

    def _begin(self, id: str) -> tuple[Image, bool]:
        begun = False

        def count(image: Image) -> None:
            nonlocal begun
            begun = image.begin_attempt(self._clock())

        return self._images.update(id, count), begun

    def _render(self, image: Image) -> Image:
        rendered = self._processor.render(self._images.attachment(image.id, _ORIGINAL))
        for rendition, data in rendered:
            self._blobs.put(rendition.name, data, "image/webp")
        return self._show(image, ProductImage(image.id, image.alt, tuple(each for each, _ in rendered)))

    def _stumble(self, id: str, reason: str) -> Image:
        log.warning("image %s was not rendered: %s", id, reason)
        return self._images.update(id, lambda image: image.stumble(reason, self._clock()))

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
        """Ask again for the pictures that wait too long: the queue may have been lost. Answers how many.

        Goes on where the last sweep ended, and round again, so that no picture waits behind others for ever.
        """
        now, asked = self._clock(), 0
        for _ in range(_PAGES):
            page = self._images.find(
                "status", {"status": ImageStatus.PROCESSING}, end=now - ASK_AGAIN_AFTER, limit=_PAGE,
                cursor=self._swept_to,
            )  # fmt: skip
            for image in page.items:
                if image.is_due(now):
                    self._renderer.ask(image.id)
                    asked += 1
            self._swept_to = page.next
            if page.next is None or asked >= _PAGE:
                break
        return asked
