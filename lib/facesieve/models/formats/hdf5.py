"""HDF5 read as data that nobody vouches for: no links, no data outside the file, no arrays out of nothing."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import h5py
import numpy as np

from facesieve.core.errors import ModelError
from facesieve.models.network import Floats

_MOST_EXPANSION = 100
"""A weight may take this many times the bytes that the file stores for it: floats hardly compress, bombs do."""
_SMALL = 1_000_000
"""Bytes below which an array may come out of nothing (biases of zeros, compressed)."""

UNREADABLE = (OSError, KeyError, IndexError, TypeError, ValueError, AttributeError, RuntimeError, RecursionError)
"""What reading the structure of a damaged or forged file raises."""


@contextmanager
def opened(content: bytes) -> Iterator[Any]:
    """Open the bytes of an HDF5 file. Raises ModelError if they, or what the block expects of them, are not there."""
    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            yield file
    except UNREADABLE as problem:
        raise ModelError(f"not a Keras model that can be read ({problem!r})") from None


def member(group: Any, path: str) -> Any:
    """Return what stands at a path below a group, by plain steps: links can point out of the file.

    Raises ModelError for a link, KeyError where there is nothing.
    """
    for part in path.split("/"):
        if group.get(part, getclass=True, getlink=True) not in (None, h5py.HardLink):
            raise ModelError(f"the HDF5 file holds a link at {path}, which is not accepted")
        group = group[part]
    return group


def has(group: Any, path: str) -> bool:
    """Say whether something stands at a path below a group; links are refused as in `member`."""
    try:
        member(group, path)
    except KeyError:
        return False
    return True


def floats(group: Any, path: str, layer: str) -> Floats:
    """Read one array of weights as float32. Raises ModelError if it is not a plain array of finite floats."""
    stored = member(group, path)
    if not isinstance(stored, h5py.Dataset) or stored.external or stored.is_virtual:
        raise ModelError(f"Layer {layer}: weight {path} is not an array that stands in the file.")
    if stored.dtype.kind != "f":
        raise ModelError(f"Layer {layer}: weight {path} is {stored.dtype}, not a finite number of floating point.")
    if stored.nbytes > _SMALL + _MOST_EXPANSION * stored.id.get_storage_size():
        raise ModelError(
            f"Layer {layer}: weight {path} is said to be {stored.nbytes:,} bytes, the file has not as many."
        )
    array = np.asarray(stored[()]).astype(np.float32)
    if not np.isfinite(array).all():
        raise ModelError(f"Layer {layer}: weight {path} holds what is not a finite number.")
    return array
