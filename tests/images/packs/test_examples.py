from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pack_writers import field, tf_example

from facesieve.core.sections import Columns
from facesieve.images.packs.examples import Example, example
from facesieve.images.protocol import BadContent

TENSORFLOW = bytes.fromhex(
    "0a490a1a0a11696d6167652f636c6173732f6c6162656c12051a030a01070a180a0d696d6167652f656e636f6465641207"
    "0a050a034a50470a110a0573636f7265120812060a0400004040"
)
"""What TensorFlow 2.21 wrote of image/encoded = `JPG`, image/class/label = 7 and score = 3.0."""
SLIM = {"image/encoded": b"JPG", "image/class/label": 7, "image/class/text": "Ann", "image/filename": "a/1.jpg"}


def test_what_tensorflow_wrote_is_read() -> None:
    assert example(TENSORFLOW, Columns()) == Example(b"JPG", "7", "")
    assert example(TENSORFLOW, Columns(identity="score")).identity == "3"


def test_usual_names_are_known() -> None:
    assert example(tf_example(SLIM), Columns()) == Example(b"JPG", "Ann", "a/1.jpg")
    assert example(tf_example({"image": b"JPG", "label": 7}), Columns()) == Example(b"JPG", "7", "")
    assert example(tf_example({"image_raw": b"JPG"}), Columns()) == Example(b"JPG", None, "")
    assert example(tf_example(SLIM | {"image/class/text": ""}), Columns()) == Example(b"JPG", "7", "a/1.jpg")


def test_columns_name_other_features() -> None:
    arcface = {"image/encoded": b"JPG", "image/source_id": 12, "image/filename": "b"}
    assert example(tf_example(arcface), Columns(identity="image/source_id")).identity == "12"
    assert example(tf_example(SLIM | {"face": b"PNG"}), Columns(bytes="face", uri="")) == Example(b"PNG", "Ann", "")
    assert example(tf_example(SLIM), Columns(identity="who")).identity is None


@pytest.mark.parametrize(
    ("label", "identity"), [(0, "0"), (-1, None), (3.0, "3"), ("Zoë", "Zoë"), (b"a\xff", "a\\xff")]
)
def test_labels_are_numbers_or_text(label: int | float | str | bytes, identity: str | None) -> None:
    assert example(tf_example({"image": b"x", "label": label}), Columns()).identity == identity


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"\xff\xff\xff", "is no tf.train.Example"),
        (tf_example(SLIM)[:-2], "is no tf.train.Example"),
        (b"", "its features are none"),
        (tf_example({"a": b"x", "label": 1}), "its features are a, label"),
        (tf_example({"image": 5}), "has no bytes in a feature"),
        (tf_example({"image": [b"a", b"b"]}), "the feature image has 2 values, not one"),
        (tf_example({"image": b"x", "label": 0.5}), "label 0.5 is no whole number"),
    ],
)
def test_what_is_no_example_of_an_image_is_told(data: bytes, problem: str) -> None:
    with pytest.raises(BadContent, match=problem):
        example(data, Columns())


def test_a_named_feature_that_is_absent_is_told_with_those_there() -> None:
    with pytest.raises(
        BadContent, match="no bytes in a feature face; its features are image/class/label, image/class/t"
    ):
        example(tf_example(SLIM), Columns(bytes="face"))


def test_an_image_of_no_bytes_is_an_image() -> None:
    assert example(tf_example({"image": b""}), Columns()).image == b""


@given(st.binary(max_size=40))
def test_any_bytes_are_an_example_or_told(data: bytes) -> None:
    for message in (data, field(1, data), field(1, field(1, data))):
        with contextlib.suppress(BadContent):
            assert example(message, Columns()).identity != ""
