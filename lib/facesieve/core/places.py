"""Places that users name: paths of this machine, and URIs of it (`file:`) and of others."""

from __future__ import annotations

import os
from urllib.parse import unquote, urlsplit


def is_uri(place: str) -> bool:
    """Say whether a place is named by a URI."""
    return "://" in place or place.startswith("file:")


def local_path(place: str) -> str | None:
    """Return the path on this machine that a place means, as it is written; None if the place is elsewhere.

    >>> local_path("file:///a%20b/c"), local_path("a b/c"), local_path("s3a://bucket/c")
    ('/a b/c', 'a b/c', None)
    """
    if place.startswith("file:"):
        return unquote(urlsplit(place).path)
    return None if is_uri(place) else place


def absolute(place: str) -> str:
    """Return a URI as it is, a path made absolute: driver, workers and tables mean the same place."""
    return place if is_uri(place) else os.path.abspath(place)


def is_below(place: str, root: str) -> bool:
    """Say whether a place is another one, or inside it; links on this machine are followed."""
    return _parts(place)[: len(_parts(root))] == _parts(root)


def _parts(place: str) -> list[str]:
    path = local_path(place)
    return (place if path is None else os.path.realpath(path)).rstrip("/").split("/")
