"""Where uri, bytes and identity of the images are in a Parquet file, and how their values become text and bytes.

Whatever Arrow casts to text or to bytes is taken. A name that is not in the file in its case is looked for in any case;
`image.bytes` is a field of a struct; a column may also be a folder `identity=Ann`, as Hive writes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from facesieve.core.sections import Columns
from facesieve.images.forms.recognised import class_labels, exif_column, recognised

_ROLES = ("uri", "bytes", "identity")
_EXACT = 1 << 53
"""Whole numbers below this are exact as float64."""


class Unfit(Exception):
    """A file whose columns cannot be used: what is wrong with each."""


@dataclass(frozen=True)
class Place:
    """Where a value is: at `path` in the columns of the file, else all rows have `constant`.

    labels: the names of a Hugging Face ClassLabel, whose column has their indices. absent: nothing tells the value.
    """

    path: tuple[str, ...] = ()
    kind: pa.DataType | None = None
    labels: tuple[str, ...] = ()
    constant: str | None = None
    absent: bool = False


class Content(NamedTuple):
    """What rows hold: the word for it, how a column becomes bytes, and the columns of files that have none so named."""

    wanted: str
    cast: Callable[[pa.Array], pa.Array]
    recognised: Callable[[pa.Schema, Columns], Columns]


class Places(NamedTuple):
    """Where the columns of a file are. uri: absent where rows are named by file and number.

    exif: words on how the camera was held, beside pictures that were encoded anew.
    """

    uri: Place
    bytes: Place
    identity: Place
    exif: Place = Place(absent=True)

    def names(self, *, content: bool = True) -> list[str]:
        """Return the dotted names of the columns to read."""
        wanted = self if content else (self.uri, self.identity)
        return [".".join(place.path) for place in wanted if place.path]


def places(
    schema: pa.Schema, folders: Mapping[str, str | None], names: Columns, holds: Content | None = None
) -> Places:
    """Find the columns of a file. Raises Unfit, with what is wrong, if uri or bytes are missing, or a type is wrong.

    Where the file has none of the names, they are those of the tool that wrote it. holds: PICTURES unless given.
    """
    holds = holds or PICTURES
    names = holds.recognised(schema, names)
    results, problems = [], []
    for role in _ROLES:
        name = getattr(names, role)
        optional = not name or (role == "identity" and name == Columns().identity)
        try:
            place = _place(schema, {} if role == "bytes" else folders, name, optional=optional)
            _check(holds if role == "bytes" else _TEXT, name, place)
        except Unfit as problem:
            problems.append(str(problem))
            continue
        results.append(place)
    if problems:
        raise Unfit("; ".join(problems))
    exif = exif_column(schema)
    uri, content, identity = results
    return Places(uri, content, identity, Place((exif,)) if exif else Place(absent=True))


def advice(schema: pa.Schema) -> str:
    """Describe the columns of a file, and what [images.columns] could say of a picture of Hugging Face.

    >>> struct = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    >>> advice(pa.schema([("image", struct)]))
    'Its columns: image struct<bytes: binary, path: string>. Perhaps bytes = "image.bytes", uri = "image.path"'
    """
    columns = ", ".join(f"{field.name} {field.type}" for field in schema)
    structs = [field for field in schema if pa.types.is_struct(field.type)]
    dotted = [(f"{field.name}.{inner.name}", _plain(inner.type)) for field in structs for inner in field.type]
    every = dotted + [(field.name, _plain(field.type)) for field in schema]
    likely = {
        "bytes": [name for name, kind in every if _is_binary(kind)],
        "uri": [name for name, _ in dotted if name.endswith(".path")],
        "identity": [field.name for field in schema if class_labels(schema, (field.name,))],
    }
    perhaps = ", ".join(f'{role} = "{names[0]}"' for role, names in likely.items() if names)
    return f"Its columns: {columns}" + (f". Perhaps {perhaps}" if perhaps else "")


def as_text(values: pa.Array) -> pa.Array:
    """Cast to text. Whole floats lose their point, since numbers with gaps are floats in pandas; NaN is null.

    Raises ArrowException if the type does not cast, or bytes are not UTF-8.

    >>> as_text(pa.array([1001.0, float("nan"), 0.5])).to_pylist()
    ['1001', None, '0.5']
    """
    plain = _decoded(values)
    if isinstance(plain.type, pa.UuidType):
        return pa.array([None if each is None else str(each) for each in plain.to_pylist()], pa.string())
    if isinstance(plain, pa.ExtensionArray):
        plain = plain.storage
    if pa.types.is_floating(plain.type):
        return _floats(plain.cast(pa.float64()))
    text = plain.cast(pa.string())
    text.validate(full=True)
    return text


def as_bytes(values: pa.Array) -> pa.Array:
    """Cast to bytes. Raises ArrowException if the type is not binary."""
    plain = _decoded(values)
    if not _is_binary(plain.type) and not pa.types.is_null(plain.type):
        raise pa.ArrowTypeError(f"{plain.type} is not binary")
    return plain.cast(pa.binary())


PICTURES = Content("bytes", as_bytes, recognised)
_TEXT = Content("text", as_text, recognised)


def is_number(place: Place) -> bool:
    """Whether a column has numbers that stand for no names."""
    if place.kind is None or place.labels:
        return False
    kind = _plain(place.kind)
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def values(batch: pa.RecordBatch, place: Place) -> pa.Array:
    """Take the values of a place out of a batch: those of a struct's field are null where the struct is.

    Labels below 0 are none, as for Hugging Face. Raises Unfit for one that has no name.
    """
    if not place.path:
        return pa.array([place.constant] * batch.num_rows, pa.string())
    column = batch.column(batch.schema.get_field_index(place.path[0]))
    column = pc.struct_field(column, list(place.path[1:])) if place.path[1:] else column
    if not place.labels:
        return column
    indices = column.cast(pa.int64())
    beyond = pc.max(indices).as_py()
    if beyond is not None and beyond >= len(place.labels):
        raise Unfit(f"label {beyond} has no name: the metadata names {len(place.labels)}, from 0 on")
    return pa.array(place.labels, pa.string()).take(pc.if_else(pc.greater_equal(indices, 0), indices, None))


def _check(holds: Content, name: str, place: Place) -> None:
    if not place.path:
        return
    try:
        holds.cast(pa.array([], place.kind))
    except (pa.ArrowException, NotImplementedError):
        raise Unfit(f"column {name} is {place.kind}, which is not {holds.wanted}") from None


def _place(schema: pa.Schema, folders: Mapping[str, str | None], name: str, *, optional: bool) -> Place:
    """Look for a column, then for a struct's field, then for a folder `name=...`."""
    for path in _paths(name):
        field = _field(schema, path)
        if field is not None:
            return Place(*field, labels=class_labels(schema, field[0]))
    for key in _same(name, folders):
        return Place(constant=folders[key])
    if optional:
        return Place(absent=True)
    raise Unfit(f"column {name} is missing")


def _paths(name: str) -> Iterator[tuple[str, ...]]:
    if name:
        yield (name,)
    if "." in name:
        yield tuple(name.split("."))


def _field(schema: pa.Schema, path: tuple[str, ...]) -> tuple[tuple[str, ...], pa.DataType] | None:
    """Return the path as the file writes it, and the type there; None if there is none."""
    fields, written, kind = list(schema), list[str](), None
    for part in path:
        names = [field.name for field in fields]
        same = _same(part, names)
        if not same:
            return None
        if len(same) > 1 or names.count(same[0]) > 1:
            raise Unfit(f"column {part} is there {max(len(same), names.count(same[0]))} times")
        kind = fields[names.index(same[0])].type
        written.append(same[0])
        fields = list(kind) if pa.types.is_struct(kind) else []
    return (tuple(written), kind) if kind is not None else None


def _same(name: str, names: Iterator[str] | Mapping[str, str | None] | list[str]) -> list[str]:
    """Return the name itself if it is there, else those that differ in case only."""
    every = list(names)
    return [name] if name in every else [each for each in every if each.lower() == name.lower()]


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _is_binary(kind: pa.DataType) -> bool:
    tests = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view, pa.types.is_fixed_size_binary)
    return any(test(kind) for test in tests)


def _decoded(values: pa.Array) -> pa.Array:
    """Take a dictionary's values; views first become what Arrow can take from."""
    if not isinstance(values, pa.DictionaryArray):
        return values
    words = values.dictionary
    if pa.types.is_string_view(words.type):
        words = words.cast(pa.string())
    elif pa.types.is_binary_view(words.type):
        words = words.cast(pa.binary())
    return pa.DictionaryArray.from_arrays(values.indices, words).dictionary_decode()


def _floats(values: pa.Array) -> pa.Array:
    numbers = pc.if_else(pc.is_nan(values), None, values)
    whole = pc.and_(pc.equal(pc.floor(numbers), numbers), pc.less(pc.abs(numbers), _EXACT))
    return pc.if_else(
        pc.fill_null(whole, False),
        pc.if_else(whole, numbers, 0.0).cast(pa.int64()).cast(pa.string()),
        numbers.cast(pa.string()),
    )
