"""Images: an upload waits in its own document until a worker has rendered it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from catalog import image_rendering
from catalog.clients import BlobStore, BlobStoreUnavailable, RenderQueue
from catalog.domain import Image, ImageStatus, Product, ProductImage, RuleViolation
from catalog.domain.product import MAX_IMAGES
from catalog.image_rendering import InvalidImage, Limits
from catalog.render_process import ImageProcessor, RenderingFailed
from catalog.services import events
from catalog.services.events import Actor
from chassis.couch import CouchError, NotFound, Repository

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]
_ORIGINAL = "original"
#: The sweeper queues images again that wait longer than this.
REQUEUE_AFTER = timedelta(seconds=20)
#: Images per page, and pages, of one sweep.
_PAGE, _PAGES = 50, 4


class UnsupportedImage(Exception):
    """The first bytes are not those of a supported image format."""


class ImageTooLarge(Exception):
    """The upload has more bytes than the limit."""


class ImageService:
    def __init__(
        self,
        images: Repository[Image],
        products: Repository[Product],
        blobs: BlobStore,
        renderer: RenderQueue,
        processor: ImageProcessor,
        limits: Limits,
        clock: Clock,
        new_id: Callable[[], str],
    ) -> None:
        self._images = images
        self._products = products
        self._blobs = blobs
        self._renderer = renderer
        self._processor = processor
        self._limits = limits
        self._clock = clock
        self._new_id = new_id
        self._sweep_cursor: str | None = None

    @property
    def max_bytes(self) -> int:
        return self._limits.max_bytes

    def get(self, id: str) -> Image:
        return self._images.get(id)

    def upload(self, *, product: Product, data: bytes, alt: str, actor: Actor | None = None) -> Image:
        """Store the bytes and queue the rendering.

        Raises `UnsupportedImage`, `ImageTooLarge` and `RuleViolation`.
        """
        if len(data) > self._limits.max_bytes:
            raise ImageTooLarge
        kind = image_rendering.format_of(data)
        if kind is None:
            raise UnsupportedImage
        if len(product.images) >= MAX_IMAGES:
            raise RuleViolation("too-many-images", f"A product has {MAX_IMAGES} pictures at most.")
        image = self._images.add(Image(self._new_id(), product.id, alt, created_at=self._clock()))
        image = self._images.attach(image, _ORIGINAL, data, image_rendering.CONTENT_TYPES[kind])
        self._audit_upload(product.id, actor, image)
        self._renderer.enqueue(image.id)
        return image

    def _audit_upload(self, product_id: str, actor: Actor | None, image: Image) -> None:
        if actor is None:
            return

        def change(product: Product) -> None:
            message = f"Uploaded picture {image.id}."
            events.append_audit(product, actor, "change", "product", product.title, message, self._clock())

        self._products.update(product_id, change)

    def render(self, id: str) -> Image:
        """Render and store the image, then attach it to its product; repeating it changes nothing.

        Every attempt is counted before it is made. An image that cannot be shown fails with a reason; an
        attempt that may succeed another time is repeated later, a few times; while the blob store is
        unavailable the image waits as long as it takes.
        """
        image, begun = self._begin_attempt(id)
        if not begun:
            return image
        try:
            return self._render(image)
        except InvalidImage as error:
            return self._fail(id, str(error))
        except NotFound:
            return self._fail(id, "The upload was cut off; send it again.")
        except BlobStoreUnavailable as error:
            log.warning("image %s waits for the blob store: %s", id, error)
            reason = "The store of pictures does not answer; it is tried again."
            return self._images.update(id, lambda image: image.postpone(reason, self._clock()))
        except CouchError:  # nothing can be stored now; the attempt is counted already
            raise
        except RenderingFailed as error:
            return self._record_failure(id, str(error))
        except Exception as error:
            log.exception("image %s could not be rendered", id)
            return self._record_failure(id, f"Something went wrong: {type(error).__name__}.")

    def _begin_attempt(self, id: str) -> tuple[Image, bool]:
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

    def _record_failure(self, id: str, reason: str) -> Image:
        log.warning("image %s was not rendered: %s", id, reason)
        return self._images.update(id, lambda image: image.record_failure(reason, self._clock()))

    def _show(self, image: Image, shown: ProductImage) -> Image:
        """Update the product first, then the image's own state.

        After a crash between the two, the sweeper repeats both.
        """

        def attach(product: Product) -> None:
            product.attach_image(shown)

        try:
            self._products.update(image.product_id, attach)
        except NotFound:
            return self._fail(image.id, "The product has gone.")
        done = self._images.update(image.id, lambda i: i.finish(shown.renditions, self._clock()))
        return self._images.detach(done, _ORIGINAL)

    def _fail(self, id: str, reason: str) -> Image:
        return self._images.update(id, lambda image: image.fail(reason, self._clock()))

    def retry(self, id: str) -> Image:
        """Try a failed image again; the upload is kept until it was rendered."""
        image = self._images.update(id, Image.retry)
        self._renderer.enqueue(id)
        return image

    def requeue_overdue(self) -> int:
        """Queue again the images that wait too long, and return their number.

        The queue may have been lost. Each sweep continues where the last one ended, so that no image waits
        behind others for ever.
        """
        now, enqueued = self._clock(), 0
        for _ in range(_PAGES):
            page = self._images.find(
                "status", {"status": ImageStatus.PROCESSING}, end=now - REQUEUE_AFTER, limit=_PAGE,
                cursor=self._sweep_cursor,
            )  # fmt: skip
            for image in page.items:
                if image.is_due(now):
                    self._renderer.enqueue(image.id)
                    enqueued += 1
            self._sweep_cursor = page.next
            if page.next is None or enqueued >= _PAGE:
                break
        return enqueued
