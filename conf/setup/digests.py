"""SHA-256 of files and folders, and files that appear whole or not at all."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from refusal import SetupError


def sha256(file: Path) -> str:
    """Return the digest of a file's bytes."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def tree_sha256(folder: Path) -> str:
    """Return the digest of the sorted lines `digest  relative-path` of all files below `folder`."""
    files = sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())
    lines = [f"{sha256(folder / file)}  {file}\n" for file in files]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def has_digest(file: Path, digest: str) -> bool:
    """Tell whether the file exists and is the one that is wanted."""
    return file.is_file() and sha256(file) == digest


def check(digest: str, wanted: str, what: str) -> None:
    """Refuse `what` unless its digest is the pinned one."""
    if digest != wanted:
        raise SetupError(
            f"{what} has the SHA-256 {digest} instead of {wanted} and was not used: run make setup again, and if that "
            "stays so, do not trust the source it came from."
        )


@contextmanager
def whole(target: Path) -> Iterator[BinaryIO]:
    """Write a file under a temporary name; it gets its own name only when the block ends without an error."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    try:
        with part.open("wb") as stream:
            yield stream
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)
