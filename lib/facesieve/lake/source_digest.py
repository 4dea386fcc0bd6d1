"""A digest of the package's own sources: code that has changed is never taken for up to date."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

from facesieve.core.errors import ContractError

ROOMS = ("core", "lake", "images", "faces", "models", "embed", "link", "cluster", "decide", "publish")
"""Rooms of the package in the order in which they may import each other: a step imports those before its own."""

_ROOM_OF = {"listing": "embed"}


def code_digest(step: str) -> str:
    """Return the SHA-256 (hex) of the code that a step may run: its room and those below; of all rooms if unknown.

    Docstrings and comments do not count. The digest is the same for a package in a folder and in a zip.
    """
    digests = _of_this_package()
    return digests.get(_ROOM_OF.get(step, step), digests[ROOMS[-1]])


@cache
def _of_this_package() -> dict[str, str]:
    return room_digests(resources.files("facesieve"))


def room_digests(package: Traversable) -> dict[str, str]:
    """Return for each room of `package` the digest of its modules and of those of the rooms below."""
    digest, digests = hashlib.sha256(), {}
    for room in ROOMS:
        modules = sorted(_modules(package / room, room))
        if not modules:
            raise ContractError(f"the sources of facesieve.{room} cannot be found: install the package with them")
        for path, text in modules:
            digest.update(f"{path}\0{code(text)}\0".encode())
        digests[room] = digest.hexdigest()
    return digests


def _modules(folder: Traversable, path: str) -> Iterator[tuple[str, str]]:
    """Yield path and source of every module below a folder."""
    for each in folder.iterdir() if folder.is_dir() else ():
        if each.is_dir():
            yield from _modules(each, f"{path}/{each.name}")
        elif each.name.endswith(".py"):
            yield f"{path}/{each.name}", each.read_text(encoding="utf-8")


def code(source: str) -> str:
    """Return what a module does: its syntax tree, without docstrings, comments and layout.

    >>> code('x = 1  # why\\n"the number"') == code("x = (1)") != code("x = 2")
    True
    """
    tree = ast.parse(source)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [each for each in body if not _is_text(each)]  # type: ignore[attr-defined]
    return ast.dump(tree)


def _is_text(statement: ast.stmt) -> bool:
    """Say whether a statement is a text that nobody reads but people."""
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )
