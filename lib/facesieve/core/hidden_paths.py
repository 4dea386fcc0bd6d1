"""Hidden paths: what stands in the tables in place of paths where `lake.store_paths` is false.

A path mostly holds the name of a person. A hidden path is the path encrypted with the key of the names, so that equal
paths are equal, and who has the key gets the path back. Source: Rogaway and Shrimpton, "A provable-security treatment
of the key-wrap problem", 2006: a tag of the text (SIV) is what its encryption begins with, and what proves it. Both
are made of HMAC-SHA256, since the standard library has no block cipher.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

from facesieve.core.pseudonyms import names_key
from facesieve.core.sections import Lake

_TAG, _BLOCK = 16, 32
_END = b"\x80"
"""Ends the text before it is filled with zeros to whole blocks (ISO/IEC 7816-4), so that its length is not told."""
HIDDEN = "u-[A-Za-z0-9_-]{64,}"
"""The pattern that every hidden path has."""


@dataclass(frozen=True)
class PathSeal:
    """Hides paths, and shows them again, with a key. It can be pickled; its text does not tell the key."""

    key: bytes = field(repr=False)

    def hide(self, path: str) -> str:
        """Return what stands in the tables for a path.

        >>> seal = PathSeal(b"k" * 32)
        >>> seal.hide("Ann/1.jpg") == seal.hide("Ann/1.jpg"), seal.show(seal.hide("Ann/1.jpg")), seal.show("Ann/1.jpg")
        (True, 'Ann/1.jpg', 'Ann/1.jpg')
        """
        text = path.encode("utf-8") + _END
        text += bytes(-len(text) % _BLOCK)
        tag = self._tag(text)
        return f"u-{base64.urlsafe_b64encode(tag + self._mixed(tag, text)).decode('ascii').rstrip('=')}"

    def show(self, path: str) -> str:
        """Return the path that a hidden one stands for; any other text, and one of another key, as it is."""
        if not is_hidden(path):
            return path
        try:
            packed = base64.urlsafe_b64decode(path[2:] + "=" * (-len(path[2:]) % 4))
        except ValueError:
            return path
        text = self._mixed(packed[:_TAG], packed[_TAG:])
        shown = text.rpartition(_END)[0].decode("utf-8", errors="replace")
        return shown if self.hide(shown) == path else path

    def _tag(self, text: bytes) -> bytes:
        return hmac.digest(self._of("tag"), text, "sha256")[:_TAG]

    def _mixed(self, tag: bytes, text: bytes) -> bytes:
        """Encrypt, or decrypt: both add a stream that follows from key and tag."""
        stream = b"".join(block for block, _ in zip(self._stream(tag), range(0, len(text), _BLOCK), strict=False))
        return bytes(a ^ b for a, b in zip(text, stream, strict=False))

    def _stream(self, tag: bytes) -> Iterator[bytes]:
        key = self._of("stream")
        return (hmac.digest(key, tag + number.to_bytes(4, "big"), "sha256") for number in count())

    def _of(self, use: str) -> bytes:
        """Return the key for one use: no key has two uses."""
        return hmac.digest(self.key, f"facesieve path {use}".encode("ascii"), "sha256")


def path_seal(lake: Lake) -> PathSeal | None:
    """Return what hides paths; None where paths are stored. Raises ConfigError if the key is not fit for that."""
    key = None if lake.store_paths else names_key(lake)
    return None if key is None else PathSeal(key)


def is_hidden(path: str) -> bool:
    """Say whether a text looks like a hidden path.

    >>> is_hidden(PathSeal(b"k" * 32).hide("Ann/1.jpg")), is_hidden("Ann/1.jpg"), is_hidden("u-boat/1.jpg")
    (True, False, False)
    """
    return re.fullmatch(HIDDEN, path) is not None
