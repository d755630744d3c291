"""Deletion of databases, which a deployed service's own user may not do (`manage.py prepare` may)."""

from __future__ import annotations

import pycouchdb
import requests
from django.conf import settings

from chassis.couch import CouchError, Unavailable, memory
from chassis.couch.connection import server, without_password


class CouchDatabases:
    def destroy(self, database: str) -> None:
        """Delete a database if it exists; raises CouchError for a refusal, Unavailable."""
        if settings.COUCHDB_URL == "memory:":
            memory.store(database).clear()
            return
        try:
            server().resource.delete(f"{settings.COUCHDB_PREFIX}{database}")
        except pycouchdb.exceptions.NotFound:
            return
        except pycouchdb.exceptions.GenericError as error:
            raise CouchError(f"{database}: {error}") from error
        except requests.RequestException as error:
            raise Unavailable(f"{database}: {without_password(error)}") from error
