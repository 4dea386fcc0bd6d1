"""Columns of Parquet files that other tools write, recognised where `[images.columns]` names none of them.

- Hugging Face: a struct of `bytes` and `path`. The label is the only ClassLabel of the metadata, else a column `label`
  of text. Rows are named by file and number, since paths are often null, or bare names that meet.
- img2dataset: `key`, `status`, and the picture in `jpg`, `png` or `webp`. Its column `exif` tells the turn in words.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa

from facesieve.core.sections import Columns

_PICTURES = ("jpg", "png", "webp")
_KEY, _STATUS, _EXIF, _LABEL = "key", "status", "exif", "label"


def recognised(schema: pa.Schema, names: Columns) -> Columns:
    """Return the columns to look for: those that are named, and others for those that are neither named nor there.

    >>> recognised(pa.schema([("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())]))]), Columns()).bytes
    'image.bytes'
    """
    if names.bytes != Columns().bytes or _has(schema, names.bytes):
        return names
    if is_img2dataset(schema):
        return _filled(schema, names, Columns(_KEY, pictures(schema)[0], names.identity))
    structs = [field.name for field in schema if _is_image(field.type)]
    if len(structs) != 1:
        return names
    return _filled(schema, names, Columns("", f"{structs[0]}.bytes", _label(schema) or names.identity))


def is_img2dataset(schema: pa.Schema) -> bool:
    """Whether a file is one of img2dataset."""
    return {_KEY, _STATUS} <= set(schema.names) and len(pictures(schema)) == 1


def exif_column(schema: pa.Schema) -> str:
    """Return the column whose words tell how the camera was held; empty if there is none."""
    there = is_img2dataset(schema) and _has(schema, _EXIF) and _is_text(schema.field(_EXIF).type)
    return _EXIF if there else ""


def pictures(schema: pa.Schema) -> list[str]:
    """Return the columns of pictures that img2dataset would write."""
    return [name for name in _PICTURES if name in schema.names and _is_bytes(schema.field(name).type)]


def class_labels(schema: pa.Schema, path: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the ClassLabel that the metadata of Hugging Face says a column is; else none."""
    try:
        feature: Any = _features(schema)
        for part in path:
            feature = feature[part]
        return tuple(map(str, feature["names"])) if feature["_type"] == "ClassLabel" else ()
    except (KeyError, TypeError, ValueError):
        return ()


def _filled(schema: pa.Schema, names: Columns, form: Columns) -> Columns:
    """Take from a form what the configuration leaves at its default and the file does not have."""
    default = Columns()
    uri = form.uri if names.uri == default.uri and not _has(schema, names.uri) else names.uri
    identity = names.identity
    if identity == default.identity and not _has(schema, identity):
        identity = form.identity
    return replace(names, uri=uri, bytes=form.bytes, identity=identity)


def _label(schema: pa.Schema) -> str:
    named = [field.name for field in schema if class_labels(schema, (field.name,))]
    if len(named) == 1:
        return str(named[0])
    return _LABEL if not named and _has(schema, _LABEL) and _is_text(schema.field(_LABEL).type) else ""


def _features(schema: pa.Schema) -> Any:
    return json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]


def _has(schema: pa.Schema, name: str) -> bool:
    return name.lower() in (each.lower() for each in schema.names)


def _is_image(kind: pa.DataType) -> bool:
    if not pa.types.is_struct(kind) or kind.num_fields != 2:
        return False
    kinds = {field.name: field.type for field in kind}
    return set(kinds) == {"bytes", "path"} and _is_bytes(kinds["bytes"])


def _is_bytes(kind: pa.DataType) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind))


def _is_text(kind: pa.DataType) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))
