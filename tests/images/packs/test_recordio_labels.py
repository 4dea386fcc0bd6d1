from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pack_writers import labelled

from facesieve.images.packs.recordio_labels import head, identity
from facesieve.images.protocol import BadContent


@given(st.integers(0, 1 << 24), st.binary(max_size=9))
def test_one_label_stands_in_the_header(label: int, image: bytes) -> None:
    record = labelled(label, image, 7)
    before = head(record, len(record))
    assert (before.labels, identity(before.label), record[before.image :]) == (0, str(label), image)


@given(st.lists(st.integers(0, 1 << 24), min_size=1, max_size=5), st.binary(max_size=9))
def test_of_several_labels_the_first_counts(labels: list[int], image: bytes) -> None:
    record = labelled(labels, image)
    before = head(record[:28], len(record))
    assert (before.labels, identity(before.label), record[before.image :]) == (len(labels), str(labels[0]), image)


@pytest.mark.parametrize(
    ("label", "problem"),
    [
        (0.5, "label 0.5 is no whole number"),
        (float("nan"), "label nan is no whole number"),
        (float("inf"), "label inf is no whole number"),
        (16_777_218.0, "label 16777218 is above 16777216"),
    ],
)
def test_a_label_that_stands_for_nobody_in_particular_is_refused(label: float, problem: str) -> None:
    with pytest.raises(BadContent, match=problem):
        identity(label)


def test_a_record_that_is_shorter_than_its_header_says_is_refused() -> None:
    with pytest.raises(BadContent, match="has 20 bytes"):
        head(bytes(20), 20)
    with pytest.raises(BadContent, match="says that 3 labels follow"):
        head(labelled([1, 2, 3], b"")[:30], 30)
