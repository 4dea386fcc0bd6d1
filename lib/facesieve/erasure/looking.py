"""One file is looked through for a subject: as bytes, and as what it is."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from facesieve.erasure.forms import COMPRESSED, PACKED, UNKNOWN, UNREADABLE, Part, form_of, parts
from facesieve.erasure.kernels.near import near
from facesieve.erasure.kernels.needles import Needles

_LONG = 512
"""Cells of more bytes than this are also looked through as the file that they may be."""
_DEPTH = 4
"""How deep a file in a file is looked through."""


class Looked(NamedTuple):
    """What was found in a file: its form, the kinds of what is in it, and why it could not be read as its form."""

    form: str
    hits: set[str]
    problem: str = ""


def look(name: str, content: bytes, needles: Needles, cosine: float) -> Looked:
    """Look through a file, its name as well."""
    hits = needles.in_name(name)
    looked = _in_content(content, needles, cosine, _DEPTH)
    if hashlib.sha256(content).hexdigest() in needles.digests:
        hits.add("image")
    return looked._replace(hits=hits | looked.hits)


def _in_content(content: bytes, needles: Needles, cosine: float, depth: int) -> Looked:
    """Look through bytes as they are stored and as what they are; what they hold may hold more."""
    form = form_of(content)
    if form in UNKNOWN or not depth:
        return Looked(form, needles.in_bytes(content))
    hits = needles.in_compressed(content) if form in COMPRESSED else needles.in_part(content)
    try:
        for part in parts(content, form):
            hits |= _in_part(part, needles, cosine, depth - 1)
    except UNREADABLE as problem:
        return Looked(form, hits | needles.in_bytes(content), type(problem).__name__)
    return Looked(form, hits)


def _in_part(part: Part, needles: Needles, cosine: float, depth: int) -> set[str]:
    if part.text is not None:
        return needles.in_text(part.text)
    if part.file is not None:
        return _in_cell(part.file, needles, cosine, depth)
    if part.content is not None:
        return needles.in_part(part.content) | _vectors(part.content, needles, cosine)
    hits = set[str]()
    for column in part.table.columns if part.table is not None else ():
        for piece in column.chunks:
            hits |= _in_array(piece, needles, cosine, depth)
    return hits


def _in_cell(content: bytes, needles: Needles, cosine: float, depth: int) -> set[str]:
    hits = _vectors(content, needles, cosine) | _as_image(content, needles)
    return hits | _in_content(content, needles, cosine, depth).hits


def _as_image(content: bytes, needles: Needles) -> set[str]:
    image = len(content) > _LONG and hashlib.sha256(content).hexdigest() in needles.digests
    return {"image"} if image else set()


def _vectors(content: bytes, needles: Needles, cosine: float) -> set[str]:
    """Look for vectors in packed numbers, of half or single precision."""
    for kind in ("<f2", "<f4"):
        whole = content and len(content) % np.dtype(kind).itemsize == 0
        if whole and near(np.frombuffer(content, kind), needles.vectors, cosine):
            return {"vector"}
    return set()


def _in_array(column: pa.Array, needles: Needles, cosine: float, depth: int) -> set[str]:
    """Look through a column. Raises TypeError for a type of column that nothing here can read."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _in_array(column.dictionary, needles, cosine, depth)
    if isinstance(kind, pa.BaseExtensionType):
        return _in_array(column.storage, needles, cosine, depth)
    if plain := next((plain for view, plain in _VIEWS if view(kind)), None):
        return _in_array(column.cast(plain), needles, cosine, depth)
    for is_kind, search in _SEARCHES:
        if is_kind(kind):
            return search(column, needles, cosine, depth)
    if any(is_kind(kind) for is_kind in _WITHOUT_PEOPLE):
        return set()
    raise TypeError(f"a column of the type {kind}")


def _in_struct(column: pa.Array, needles: Needles, cosine: float, depth: int) -> set[str]:
    return set().union(*(_in_array(each, needles, cosine, depth) for each in column.flatten()))


def _in_map(column: pa.Array, needles: Needles, cosine: float, depth: int) -> set[str]:
    return _in_array(column.keys, needles, cosine, depth) | _in_array(column.items, needles, cosine, depth)


def _in_integers(column: pa.Array, needles: Needles, _cosine: float, _depth: int) -> set[str]:
    numbers = column.drop_null().to_numpy(zero_copy_only=False)
    return {"id"} if needles.in_numbers(numbers) else set()


def _in_strings(column: pa.Array, needles: Needles, _cosine: float, _depth: int) -> set[str]:
    return needles.in_text("\n".join(filter(None, column.unique().to_pylist())))


def _in_binary(column: pa.Array, needles: Needles, cosine: float, depth: int) -> set[str]:
    """Cells of one length are looked through as one. If that finds something, it may stand across two cells."""
    lengths: dict[int, list[bytes]] = {}
    for cell in filter(None, column.drop_null().to_pylist()):
        lengths.setdefault(len(cell), []).append(cell)
    hits = set[str]()
    for length, cells in lengths.items():
        if len(cells) == 1 or needles.may_be_in(b"\n".join(cells)) or _vectors(b"".join(cells), needles, cosine):
            hits.update(*(_in_cell(cell, needles, cosine, depth) for cell in cells))
            continue
        packed = (cell for cell in cells if form_of(cell) in PACKED)
        hits.update(*(_in_cell(cell, needles, cosine, depth) for cell in packed))
        if length > _LONG:
            hits.update(*(_as_image(cell, needles) for cell in cells))
    return hits


def _in_list(column: pa.Array, needles: Needles, cosine: float, depth: int) -> set[str]:
    values = column.flatten()
    if not pa.types.is_floating(values.type):
        return _in_array(values, needles, cosine, depth)
    lengths = set(column.value_lengths().drop_null().to_pylist())
    numbers = values.to_numpy(zero_copy_only=False)
    # Vectors of one table mostly have one length; otherwise each is compared on its own.
    rows = [numbers] if len(lengths) <= 1 else [np.array(each) for each in column.drop_null().to_pylist()]
    return {"vector"} if any(near(each, needles.vectors, cosine) for each in rows) else set()


_types = pa.types
_Is = Callable[[pa.DataType], bool]
_SEARCHES: tuple[tuple[_Is, Callable[[pa.Array, Needles, float, int], set[str]]], ...] = (
    (_types.is_struct, _in_struct),
    (_types.is_map, _in_map),
    (_types.is_list, _in_list),
    (_types.is_large_list, _in_list),
    (_types.is_fixed_size_list, _in_list),
    (_types.is_integer, _in_integers),
    (_types.is_string, _in_strings),
    (_types.is_large_string, _in_strings),
    (_types.is_binary, _in_binary),
    (_types.is_large_binary, _in_binary),
    (_types.is_fixed_size_binary, _in_binary),
)
"""By type of a column: how it is looked through."""
_VIEWS: tuple[tuple[_Is, pa.DataType], ...] = (
    (_types.is_string_view, pa.string()),
    (_types.is_binary_view, pa.binary()),
)
_WITHOUT_PEOPLE: tuple[_Is, ...] = (
    _types.is_null,
    _types.is_boolean,
    _types.is_floating,
    _types.is_temporal,
    _types.is_decimal,
)
"""Types of columns that name nobody, such as times and flags."""
