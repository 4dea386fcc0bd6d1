from __future__ import annotations

import json

import pyarrow as pa
import pytest

from facesieve.core.sections import Columns
from facesieve.images.forms.recognised import class_labels, exif_column, is_img2dataset, pictures, recognised
from facesieve.images.parquet_columns import Unfit, places, values

IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def _schema(labels: dict[str, list[str]] | None = None, **columns: pa.DataType) -> pa.Schema:
    features = {name: {"names": names, "_type": "ClassLabel"} for name, names in (labels or {}).items()}
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    return pa.schema(list(columns.items()), metadata=metadata if labels else None)


IMG2DATASET = _schema(url=pa.string(), key=pa.string(), status=pa.string(), exif=pa.string(), jpg=pa.binary())


@pytest.mark.parametrize(
    ("schema", "columns"),
    [
        (_schema(image=IMAGE), Columns("", "image.bytes", "identity")),
        (_schema(image=IMAGE, label=pa.string()), Columns("", "image.bytes", "label")),
        (_schema(image=IMAGE, label=pa.int64()), Columns("", "image.bytes", "identity")),
        (_schema({"who": ["a"]}, photo=IMAGE, who=pa.int64()), Columns("", "photo.bytes", "who")),
        (_schema({"a": ["x"], "b": ["y"]}, image=IMAGE, a=pa.int64(), b=pa.int64()), Columns("", "image.bytes")),
        (_schema(uri=pa.string(), image=IMAGE), Columns("uri", "image.bytes")),
        (_schema(image=IMAGE, other=IMAGE), Columns()),
        (_schema(uri=pa.string(), bytes=pa.binary(), image=IMAGE), Columns()),
        (IMG2DATASET, Columns("key", "jpg")),
        (_schema(key=pa.string(), status=pa.string(), webp=pa.large_binary()), Columns("key", "webp")),
        (_schema(key=pa.string(), jpg=pa.binary()), Columns()),
    ],
)
def test_forms_of_other_tools_are_recognised(schema: pa.Schema, columns: Columns) -> None:
    assert recognised(schema, Columns()) == columns


def test_what_is_named_is_taken() -> None:
    schema = _schema(image=IMAGE, name=pa.string(), label=pa.string())
    assert recognised(schema, Columns(identity="name")) == Columns("", "image.bytes", "name")
    assert recognised(schema, Columns("image.path")) == Columns("image.path", "image.bytes", "label")
    assert recognised(schema, Columns(bytes="thumb")) == Columns(bytes="thumb")


def test_words_are_read_beside_pictures_of_img2dataset_alone() -> None:
    assert (exif_column(IMG2DATASET), is_img2dataset(IMG2DATASET), pictures(IMG2DATASET)) == ("exif", True, ["jpg"])
    assert exif_column(_schema(uri=pa.string(), bytes=pa.binary(), exif=pa.string())) == ""
    assert places(IMG2DATASET, {}, Columns()).names() == ["key", "jpg", "exif"]
    assert places(IMG2DATASET, {}, Columns()).names(content=False) == ["key"]


def test_a_label_without_a_name_is_refused() -> None:
    schema = _schema({"who": ["Ann", "Bob"]}, image=IMAGE, who=pa.int64())
    place = places(schema, {}, Columns()).identity
    assert class_labels(schema, ("who",)) == ("Ann", "Bob")
    images = pa.nulls(3, IMAGE)
    batch = pa.RecordBatch.from_arrays([images, pa.array([1, -1, None])], schema=schema)
    assert values(batch, place).to_pylist() == ["Bob", None, None]
    with pytest.raises(Unfit, match="label 2 has no name: the metadata names 2"):
        values(pa.RecordBatch.from_arrays([images, pa.array([1, 2, 0])], schema=schema), place)
