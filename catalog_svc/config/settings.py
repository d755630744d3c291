"""Settings of catalog_svc: the shared base, and the settings of this service alone."""

from pathlib import Path

from chassis.env import env
from chassis.settings import base, refuse_in_production

globals().update(base(service="catalog", app="catalog", root=Path(__file__).resolve().parent.parent))

AZURE_STORAGE_CONNECTION_STRING = env(
    "AZURE_STORAGE_CONNECTION_STRING",
    str,
    "",
    "blob store of the product pictures; empty: kept in memory, for tests, and refused in production",
    secret=True,
)
AZURE_CONTAINER = env("AZURE_CONTAINER", str, "media", "container of the product pictures, made when missing")
IMAGE_MAX_BYTES = env(
    "IMAGE_MAX_BYTES", int, 6 * 1024 * 1024, "largest picture that can be uploaded, in bytes"
)
INDEX_REPAIR_SECONDS = env(
    "INDEX_REPAIR_SECONDS",
    float,
    900.0,
    "seconds from one comparison of the whole search index with the documents to the next; what differs is "
    "repaired and shown in the admin",
)
IMAGE_RENDER_MEMORY_MB = env(
    "IMAGE_RENDER_MEMORY_MB", int, 768, "memory of the process that renders one picture, in MB of addresses"
)
IMAGE_RENDER_SECONDS = env(
    "IMAGE_RENDER_SECONDS", int, 30, "seconds after which the process that renders one picture is ended"
)
IMAGE_MAX_PIXELS = env("IMAGE_MAX_PIXELS", int, 40_000_000, "largest picture that is decoded, in pixels")

refuse_in_production(
    globals(), [("AZURE_STORAGE_CONNECTION_STRING is not set", not AZURE_STORAGE_CONNECTION_STRING)]
)
