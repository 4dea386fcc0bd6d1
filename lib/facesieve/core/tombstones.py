"""Tombstones: keyed hashes of erased images, by which the same image is known again, and nothing else of it."""

from __future__ import annotations

import os
import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from facesieve.core.errors import ConfigError, Fault
from facesieve.core.ids import keyed_hash
from facesieve.core.resemblance import NOTHING_RESEMBLED, Resembled

CONTENT, IMAGE, SIMILAR = "content", "image", "similar"
"""The kinds of tombstones: of the SHA-256 of a file, of an image_id, and of a perceptual hash, which has bands."""
KEY = "key"
"""The kind of the row that is of no image: by it another key than that of the tombstones is known."""

_DEFAULT = "~/.facesieve/erase.key"
_BYTES = 32
_FIX = "Name the file that the first erasure of this lake has made: without it erased images would come back."


@dataclass(frozen=True)
class Tombstones:
    """The keyed hashes of erased images, and their key, which is not shown. similar: pictures whose copies go too."""

    key: bytes
    hashes: frozenset[str]
    similar: Resembled = NOTHING_RESEMBLED

    def block(self, image: int | None, sha256: str | None) -> bool:
        """Say whether an image was erased, by its content or its id.

        >>> erased = Tombstones(b"key", frozenset([keyed_hash(b"key", CONTENT, "ab")]))
        >>> erased.block(7, "ab"), erased.block(7, "cd"), erased.block(None, None)
        (True, False, False)
        """
        if not self.hashes:
            return False
        parts = ((CONTENT, sha256), (IMAGE, None if image is None else str(image)))
        return any(keyed_hash(self.key, kind, part) in self.hashes for kind, part in parts if part)

    def __repr__(self) -> str:
        return f"Tombstones({len(self.hashes)})"


NOTHING_ERASED = Tombstones(b"", frozenset())


def tombstones_of(key: bytes, images: Iterable[int], digests: Iterable[str]) -> list[tuple[str, str]]:
    """Return the kind and the hash of each tombstone, sorted."""
    contents = ((CONTENT, keyed_hash(key, CONTENT, digest)) for digest in set(digests))
    return sorted([*contents, *((IMAGE, keyed_hash(key, IMAGE, str(image))) for image in set(images))])


def key_place(setting: str) -> Path:
    """Return where the key is."""
    return Path(os.path.expanduser(setting or _DEFAULT))


def mark_of(key: bytes) -> str:
    """Return what tells a key from others and does not give it away."""
    return keyed_hash(key, KEY)


def read_key(setting: str, marks: Collection[str] = ()) -> bytes:
    """Read the key. marks: of the key that tombstones were made with; older ones have none.

    Raises ConfigError where there is none, it is too short to be one, or it is another.
    """
    place = key_place(setting)
    try:
        key = bytes.fromhex(place.read_text(encoding="ascii").strip())
    except (OSError, ValueError) as problem:
        wrong = f"{place} cannot be read ({type(problem).__name__})"
        raise ConfigError([Fault("erase.key_file", wrong, _FIX)]) from None
    if len(key) < _BYTES:
        raise ConfigError([Fault("erase.key_file", f"{place} holds no key of {_BYTES} bytes", "Name the right file.")])
    if marks and mark_of(key) not in marks:
        raise ConfigError([Fault("erase.key_file", f"{place} is not the key of this lake's tombstones", _FIX)])
    return key


def made_key(setting: str) -> Path | None:
    """Make the key where there is none, for its owner alone; return its place if it was made now."""
    place = key_place(setting)
    if place.exists():
        return None
    try:
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(_BYTES) + "\n")
    except OSError as problem:
        wrong = f"{place} cannot be made ({type(problem).__name__})"
        raise ConfigError([Fault("erase.key_file", wrong, "Name a file that this job may write.")]) from None
    return place
