"""Places that users name: paths of this machine, and URIs of it (`file:`) and of others."""

from __future__ import annotations

import os
import re
from argparse import ArgumentTypeError
from urllib.parse import unquote, urlsplit

_VARIABLE = re.compile(r"\$\$|\$(\w+)|\$\{(\w+)\}", re.ASCII)


def is_uri(place: str) -> bool:
    """Say whether a place is named by a URI."""
    return "://" in place or place.startswith("file:")


def expanded(place: str) -> str:
    """Return a place with `~` at its beginning and `$VARIABLES` replaced; `$$` is a dollar sign.

    Raises ValueError, with what is not there, where a variable is not set or a user has no home folder.
    """
    home = os.path.expanduser(place)
    if home.startswith("~") and re.match(r"~\w*(/|$)", home):
        raise ValueError(f"there is no home folder {home.partition('/')[0]}")
    return _VARIABLE.sub(_value, home)


def not_utf8(place: str) -> str | None:
    r"""Return a place whose name is no UTF-8 as it can be shown; None for all others.

    >>> not_utf8("/data/caf\udce9"), not_utf8("/data/café")
    ('/data/caf\\xe9', None)
    """
    try:
        place.encode("utf-8")
    except UnicodeEncodeError:
        return place.encode("utf-8", errors="surrogateescape").decode("utf-8", errors="backslashreplace")
    return None


def argument(place: str) -> str:
    """Return a place of the command line as `expanded` does, for argparse (`type=`)."""
    try:
        return expanded(place)
    except ValueError as problem:
        raise ArgumentTypeError(str(problem)) from None


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


def _value(variable: re.Match[str]) -> str:
    name = variable[1] or variable[2]
    if name is None:
        return "$"
    if name not in os.environ:
        raise ValueError(f"environment variable {name} is not set")
    return os.environ[name]


def _parts(place: str) -> list[str]:
    path = local_path(place)
    return (place if path is None else os.path.realpath(path)).rstrip("/").split("/")
