"""The subject of an erasure: all by which its images can be found again, wherever they are stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

Renames = Sequence[tuple[str, int, int]]
"""Scope, former id and new id of clusters whose id was the id of an erased face."""


@dataclass(frozen=True)
class Subject:
    """What is to be erased.

    images, faces: ids. uris: paths below `images.root`. digests: SHA-256 of the files, hex. names: identities that no
    other image bears. vectors: one per face, as numbers.
    """

    images: tuple[int, ...] = ()
    faces: tuple[int, ...] = ()
    uris: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    vectors: tuple[tuple[float, ...], ...] = ()

    @classmethod
    def from_json(cls, written: Mapping[str, Any]) -> Self:
        """Read it from the journal."""
        lists = {field.name: written[field.name] for field in fields(cls)}
        vectors = tuple(tuple(each) for each in lists.pop("vectors"))
        return cls(**{name: tuple(values) for name, values in lists.items()}, vectors=vectors)
