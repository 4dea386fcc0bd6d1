"""The image, the label and the name in a tf.train.Example, by the features that `images.columns` names.

The message is parsed by the package `protobuf`, from a description of its own: TensorFlow, which has the same one, is
large and is loaded by the model alone. The description is that of tensorflow/core/example/{example,feature}.proto.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from facesieve.core.sections import Columns
from facesieve.images.packs.recordio_labels import identity as of_float
from facesieve.images.protocol import BadContent

USUAL: Mapping[str, tuple[str, ...]] = {
    "bytes": ("bytes", "image/encoded", "image_raw", "image", "encoded", "jpeg", "jpg", "png", "img"),
    "identity": ("identity", "image/class/text", "image/class/label", "label", "class"),
    "uri": ("uri", "image/filename", "filename", "file_name", "path"),
}
"""Names of features that are looked for, in this order, where `images.columns` is as it comes."""

_SHOWN = 12
_LIST_TYPES = {"bytes_list": "BytesList", "float_list": "FloatList", "int64_list": "Int64List"}


class Example(NamedTuple):
    """The image file, whom it shows (None: nobody) and its name (empty: none) in one example."""

    image: bytes
    identity: str | None
    name: str


def example(data: bytes, columns: Columns) -> Example:
    """Read one example. Raises BadContent if it is none, has no image of bytes, or several values where one counts."""
    features = _features(data)
    names = _names("bytes", columns.bytes)
    image = _value(features, names, empty=True)
    if not isinstance(image, bytes):
        there = ", ".join(sorted(features)[:_SHOWN]) or "none"
        raise BadContent(f"the record has no bytes in a feature {' or '.join(names)}; its features are {there}")
    label = _value(features, _names("identity", columns.identity))
    name = _value(features, _names("uri", columns.uri)) if columns.uri else None
    return Example(image, _identity(label), _text(name) if isinstance(name, bytes) else str(name or ""))


def _names(column: str, name: str) -> Sequence[str]:
    return USUAL[column] if name == column else (name,)


def _value(features: Mapping[str, Any], names: Sequence[str], *, empty: bool = False) -> bytes | float | int | None:
    """Return the value of the first feature of these names that has any. Raises BadContent if it has several."""
    for name in names:
        feature = features.get(name)
        kind = feature.WhichOneof("kind") if feature is not None else None
        values = getattr(feature, kind).value if kind else ()
        if len(values) > 1:
            raise BadContent(f"the feature {name} has {len(values)} values, not one")
        if values and (empty or values[0] != b""):
            return values[0]  # type: ignore[no-any-return]
    return None


def _identity(label: bytes | float | int | None) -> str | None:
    if isinstance(label, bytes):
        return _text(label) or None
    if isinstance(label, float):
        return of_float(label)
    return None if label is None or label < 0 else str(label)


def _text(text: bytes) -> str:
    return text.decode(errors="backslashreplace")


def _features(data: bytes) -> Mapping[str, Any]:
    try:
        return _message().FromString(data).features.feature  # type: ignore[no-any-return]
    except DecodeError:
        raise BadContent("the record is no tf.train.Example") from None


@cache
def _message() -> Any:
    """Make the class of the message. Its pool is its own: TensorFlow's description of it does not meet this one."""
    file = descriptor_pb2.FileDescriptorProto(name="example.proto", package="facesieve", syntax="proto3")
    field = descriptor_pb2.FieldDescriptorProto
    types = (field.TYPE_BYTES, field.TYPE_FLOAT, field.TYPE_INT64)
    for name, kind in zip(_LIST_TYPES.values(), types, strict=True):
        file.message_type.add(name=name).field.add(name="value", number=1, type=kind, label=field.LABEL_REPEATED)
    feature = file.message_type.add(name="Feature")
    feature.oneof_decl.add(name="kind")
    for number, name in enumerate(_LIST_TYPES, 1):
        of_type = f".facesieve.{_LIST_TYPES[name]}"
        feature.field.add(name=name, number=number, type=field.TYPE_MESSAGE, type_name=of_type, oneof_index=0)
    features = file.message_type.add(name="Features")
    entry = features.nested_type.add(name="FeatureEntry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, type=field.TYPE_STRING, label=field.LABEL_OPTIONAL)
    entry.field.add(name="value", number=2, type=field.TYPE_MESSAGE, type_name=".facesieve.Feature")
    entries = ".facesieve.Features.FeatureEntry"
    features.field.add(name="feature", number=1, type=field.TYPE_MESSAGE, type_name=entries, label=field.LABEL_REPEATED)
    whole = file.message_type.add(name="Example")
    whole.field.add(name="features", number=1, type=field.TYPE_MESSAGE, type_name=".facesieve.Features")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("facesieve.Example"))
