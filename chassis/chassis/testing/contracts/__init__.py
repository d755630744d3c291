"""Contract suites: each runs on the in-memory twin and on a real server, so that the twin cannot lie."""

from __future__ import annotations

from .attachments import AttachmentsContract
from .listing import ListingContract
from .views import ViewsContract
from .writing import WritingContract

__all__ = ["RepositoryContract"]


class RepositoryContract(WritingContract, ListingContract, ViewsContract, AttachmentsContract):
    """Inherit it in a test class and give the fixture `repository`, a fresh one of FRUITS for each test."""
