"""What can go wrong with a document, in words of the service rather than of HTTP."""


class CouchError(Exception):
    """Base of all below."""


class NotFound(CouchError):
    """No document with that id, or it was deleted."""


class Conflict(CouchError):
    """Somebody else wrote the document since it was read, or its id is taken."""


class Busy(CouchError):
    """So many write a document at once that the change found no place in time; try again soon."""

    retry_after = 1


class Unavailable(CouchError):
    """The store does not answer, or the outcome of a write could not be learnt."""

    retry_after = 2


class BadCursor(CouchError, ValueError):
    """A page cursor that this list did not give out."""
