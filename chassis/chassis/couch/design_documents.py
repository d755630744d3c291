"""Databases and views on a server: made when they are missing, built before they are used."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from typing import Any

import pycouchdb
import requests

from .collection import Design
from .connection import Requests, server, without_password
from .exceptions import Conflict, NotFound, Unavailable

log = logging.getLogger(__name__)

BUILD_SECONDS = 900
Query = Callable[[Design, dict[str, Any]], Any]


def build(http: Requests, designs: Iterable[Design], query: Query) -> None:
    """Make the views of a database, and wait until they are built. Raises `Unavailable`."""
    for design in designs:
        _put_design(http, design)
        _wait_until_built(design, query)


def create(name: str) -> bool:
    """Make a database; return False when it is there.

    Of many who do so at once one gets True, or none if that answer is lost. Raises Unavailable.
    """
    try:
        server().resource.put(name)
    except pycouchdb.exceptions.Conflict:
        log.debug("database %s is there", name)
        return False
    except (pycouchdb.exceptions.GenericError, requests.RequestException) as error:
        raise Unavailable(f"database {name}: {without_password(error)}") from error
    return True


def _put_design(http: Requests, design: Design) -> None:
    view = {"map": design.map} | ({"reduce": design.reduce} if design.reduce else {})
    path = ("_design", design.name)
    try:
        http.read("GET", path)
    except NotFound:
        try:
            http.checked("PUT", path, data={"language": "javascript", "views": {"v": view}})
        except Conflict:
            log.info("view %s was made by somebody else", design.name)


def _wait_until_built(design: Design, query: Query) -> None:
    """Read one row, which CouchDB answers when the view is built; a big one outlasts a request's timeout."""
    end = time.monotonic() + BUILD_SECONDS
    while True:
        try:
            query(design, {"limit": 1} | ({"reduce": False} if design.reduce else {}))
            return
        except Unavailable:
            if time.monotonic() > end:
                raise
            time.sleep(1)
