"""Adapters of the outside world: the blob store and the render queue."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import cached_property
from typing import Any, Protocol

from chassis.backup import Blob

_CACHE = "public, max-age=31536000, immutable"


class BlobStoreUnavailable(OSError):
    """The blob store is unavailable; the work waits and is tried again."""


class BlobStore(Protocol):
    """Public files under names that never change their content."""

    def put(self, name: str, data: bytes, content_type: str) -> None:
        """Store a file, or store it again.

        Raises `BlobStoreUnavailable`.
        """

    def all(self) -> Iterator[tuple[str, bytes, str]]:
        """Yield every file as (name, content, content type).

        Raises `BlobStoreUnavailable`.
        """


class InMemoryBlobStore:
    """Blob store in a dictionary, for tests; `is_down` makes it unavailable."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.is_down = False

    def put(self, name: str, data: bytes, content_type: str) -> None:
        if self.is_down:
            raise BlobStoreUnavailable(name)
        self.files[name] = data

    def all(self) -> Iterator[tuple[str, bytes, str]]:
        return ((name, data, "image/webp") for name, data in self.files.items())


class AzureBlobStore:
    """Blob store on Azure or Azurite, through django-storages; creates a missing container."""

    def __init__(self, connection_string: str, container: str) -> None:
        self._connection_string = connection_string
        self._container = container

    @cached_property
    def _service(self) -> Any:
        # The Azure SDK costs 40 MB and half a second; only the worker, which uploads, pays for it.
        from azure.core.exceptions import ResourceExistsError
        from azure.storage.blob import BlobServiceClient

        service = BlobServiceClient.from_connection_string(self._connection_string, retry_total=1)
        with contextlib.suppress(ResourceExistsError):
            # Pictures are public: browsers read them through the gateway without a key.
            service.create_container(self._container, public_access="blob")
        return service

    @cached_property
    def _storage(self) -> Any:
        from storages.backends.azure_storage import AzureStorage

        _ = self._service  # creates the container
        return AzureStorage(
            connection_string=self._connection_string,
            azure_container=self._container,
            overwrite_files=True,
            timeout=20,
            object_parameters={"cache_control": _CACHE},
        )

    def put(self, name: str, data: bytes, content_type: str) -> None:
        from azure.core.exceptions import AzureError
        from django.core.files.base import ContentFile

        file: Any = ContentFile(data, name=name)
        file.content_type = content_type
        try:
            self._storage.save(name, file)
        except AzureError as error:
            raise BlobStoreUnavailable(str(error)[:200]) from error

    def all(self) -> Iterator[tuple[str, bytes, str]]:
        from azure.core.exceptions import AzureError

        try:
            container = self._service.get_container_client(self._container)
            for found in container.list_blobs():
                data = container.download_blob(found.name).readall()
                yield found.name, data, found.content_settings.content_type or ""
        except AzureError as error:
            raise BlobStoreUnavailable(str(error)[:200]) from error


class BlobBackup:
    """Backup source of all image files, for `manage.py backup` and `restore`."""

    def __init__(self, blobs: BlobStore) -> None:
        self._blobs = blobs

    def blobs(self) -> Iterator[Blob]:
        return (Blob(*found) for found in self._blobs.all())

    def put(self, blob: Blob) -> None:
        self._blobs.put(blob.name, blob.data, blob.content_type)


class RenderQueue(Protocol):
    """Queue of images to render."""

    def enqueue(self, image_id: str) -> None:
        """Request the renditions of an image, best effort.

        The sweeper requests again what was lost.
        """


class CeleryRenderQueue:
    def enqueue(self, image_id: str) -> None:
        from chassis.jobs import send

        send("catalog.tasks.render_image", image_id, queue="catalog")


class InMemoryRenderQueue:
    """Render queue for tests that records the requested images."""

    def __init__(self) -> None:
        self.enqueued: list[str] = []

    def enqueue(self, image_id: str) -> None:
        self.enqueued.append(image_id)
