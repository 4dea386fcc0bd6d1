"""One file is looked through for a subject: as bytes, and as what it is."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from facesieve.erasure.forms import Part, form_of, parts
from facesieve.erasure.kernels.near import near
from facesieve.erasure.kernels.needles import Needles

_LONG = 512
"""Cells of more bytes than this are also looked through as the file that they may be."""


class Looked(NamedTuple):
    """What was found in a file: its form, the kinds of what is in it, and why it could not be read as its form."""

    form: str
    hits: set[str]
    problem: str = ""


def look(name: str, content: bytes, needles: Needles, cosine: float) -> Looked:
    """Look through a file, its name as well."""
    form = form_of(content)
    hits = needles.in_text(name) | needles.in_bytes(content)
    if hashlib.sha256(content).hexdigest() in needles.digests:
        hits.add("image")
    try:
        for part in parts(content, form):
            hits |= _in_part(part, needles, cosine)
    except (ValueError, OSError, pa.ArrowException) as problem:
        return Looked(form, hits, type(problem).__name__)
    return Looked(form, hits)


def _in_part(part: Part, needles: Needles, cosine: float) -> set[str]:
    if part.text is not None:
        return needles.in_text(part.text)
    if part.content is not None:
        return _in_cell(part.content, needles, cosine)
    hits = set[str]()
    for column in part.table.columns if part.table is not None else ():
        for piece in column.chunks:
            hits |= _in_array(piece, needles, cosine)
    return hits


def _in_cell(content: bytes, needles: Needles, cosine: float) -> set[str]:
    hits = needles.in_bytes(content) | _vectors(content, needles, cosine)
    if len(content) > _LONG and hashlib.sha256(content).hexdigest() in needles.digests:
        hits.add("image")
    return hits


def _vectors(content: bytes, needles: Needles, cosine: float) -> set[str]:
    """Look for vectors in packed numbers, of half or single precision."""
    for kind in ("<f2", "<f4"):
        if content and len(content) % np.dtype(kind).itemsize == 0:
            if near(np.frombuffer(content, kind), needles.vectors, cosine):
                return {"vector"}
    return set()


def _in_array(column: pa.Array, needles: Needles, cosine: float) -> set[str]:
    kind = column.type
    if pa.types.is_struct(kind):
        return set().union(*(_in_array(each, needles, cosine) for each in column.flatten()))
    if pa.types.is_map(kind):
        return _in_array(column.keys, needles, cosine) | _in_array(column.items, needles, cosine)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return _in_list(column, needles, cosine)
    if pa.types.is_integer(kind):
        numbers = column.drop_null().to_numpy(zero_copy_only=False)
        return {"id"} if np.isin(numbers, np.array(sorted(needles.ids), np.int64)).any() else set()
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return needles.in_text("\n".join(filter(None, column.unique().to_pylist())))
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return set().union(*(_in_cell(each, needles, cosine) for each in _cells(column)))
    return set()


def _in_list(column: pa.Array, needles: Needles, cosine: float) -> set[str]:
    values = column.flatten()
    if not pa.types.is_floating(values.type):
        return _in_array(values, needles, cosine)
    lengths = set(column.value_lengths().drop_null().to_pylist())
    numbers = values.to_numpy(zero_copy_only=False)
    # Vectors of one table mostly have one length; otherwise each is compared on its own.
    rows = [numbers] if len(lengths) <= 1 else [np.array(each) for each in column.drop_null().to_pylist()]
    return {"vector"} if any(near(each, needles.vectors, cosine) for each in rows) else set()


def _cells(column: pa.Array) -> Iterator[bytes]:
    yield from (each for each in column.to_pylist() if each)
