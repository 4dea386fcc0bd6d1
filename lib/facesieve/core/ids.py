"""Ids that name what a thing is: 64 bits of a SHA-256, the same on every cluster and at every rerun."""

from __future__ import annotations

import hashlib
import hmac

_SEPARATOR = b"\0"


def digest_id(*parts: str) -> int:
    """Return the first 8 bytes (signed, big-endian) of the SHA-256 of the UTF-8 parts joined by zero bytes.

    >>> digest_id("a", "b")
    6463353407833682387
    """
    digest = hashlib.sha256(_SEPARATOR.join(part.encode("utf-8") for part in parts)).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def keyed_hash(key: bytes, *parts: str | int) -> str:
    """Return the HMAC-SHA256 (RFC 2104) of parts joined by zero bytes, in hex: it tells nothing without the key.

    >>> keyed_hash(b"key", "band", 3) == keyed_hash(b"key", "band\\0" "3"), keyed_hash(b"key", "a")[:8]
    (True, '780c3db4')
    """
    return hmac.new(key, _SEPARATOR.join(str(part).encode("utf-8") for part in parts), "sha256").hexdigest()


def image_id(uri: str, sha256: str | None) -> int:
    """Name an image: its uri and the hex SHA-256 of its content (None or empty if unread)."""
    return digest_id(uri, sha256 or "")


def face_id(image: int, model: str, face_rank: int) -> int:
    """Name a face: its image's id, the model id and its rank in the image (0 = largest)."""
    return digest_id(str(image), model, str(face_rank))
