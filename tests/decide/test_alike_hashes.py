"""Hashes of pairs where they lie in Arrow, against plain Python: null, of odd lengths, in a slice."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from facesieve.decide.alike_hashes import ALIKE_PAIRS, HASHED_PAIRS, HashedPairs, alike_pairs, differences
from facesieve.embed.perceptual_hash import FACE_BYTES, VIEW_BYTES, VIEWS

FAR = 9_999
WHOLE = bytes(VIEW_BYTES)


def flipped(bits: int) -> bytes:
    """A view in which so many bits are set."""
    return ((1 << bits) - 1).to_bytes(VIEW_BYTES, "big")


HASHES = st.one_of(
    st.none(),
    st.lists(st.integers(0, 200).map(flipped), max_size=3).map(b"".join),
    st.just(b"odd"),
)


@given(rows=st.lists(st.tuples(HASHES, HASHES), max_size=12), skipped=st.integers(0, 3))
def test_differences_are_those_of_plain_python_in_any_slice(
    rows: list[tuple[bytes | None, bytes | None]], skipped: int
) -> None:
    views, wholes = (pa.array([row[end] for row in rows], pa.binary()).slice(skipped) for end in (0, 1))
    expected = [least(*row) for row in rows[skipped:]]
    assert differences(views, wholes).tolist() == expected


def test_rows_of_one_size_may_lie_unevenly() -> None:
    """The first two follow each other, between the others lies a row of another size."""
    views = [flipped(1), flipped(2), flipped(9) * 2, flipped(3), None, flipped(4)]
    wholes = [WHOLE, WHOLE, None, WHOLE, WHOLE, WHOLE]
    assert differences(pa.array(views), pa.array(wholes)).tolist() == [1, 2, FAR, 3, FAR, 4]


def least(views: bytes | None, whole: bytes | None) -> int:
    if not views or len(views) % VIEW_BYTES or whole is None or len(whole) != VIEW_BYTES:
        return FAR
    each = [views[start : start + VIEW_BYTES] for start in range(0, len(views), VIEW_BYTES)]
    return min((int.from_bytes(view, "big") ^ int.from_bytes(whole, "big")).bit_count() for view in each)


def test_the_mirrored_view_of_a_face_does_not_stand_for_the_face() -> None:
    face = flipped(200) * len(VIEWS) + WHOLE
    assert len(face) == FACE_BYTES
    assert differences(pa.array([face]), pa.array([WHOLE])).tolist() == [200]


@pytest.mark.parametrize(
    ("bits", "expected"),
    [
        ((10, 99, 99), [(10, False)]),
        ((11, 10, 99), [(10, False)]),
        ((11, 11, 10), [(10, True)]),
        ((11, 61, 13), [(13, True)]),  # as they stand, the faces differ in 48 bits more
        ((11, 60, 13), []),
        ((11, 11, 11), []),
    ],
)
def test_pairs_stay_that_are_alike_in_the_picture_the_face_or_its_mirror_image(
    spark: SparkSession, bits: tuple[int, int, int], expected: list[tuple[int, bool]]
) -> None:
    whole, face, mirror = map(flipped, bits)
    row = (1, 2, 10, 20, WHOLE, whole, WHOLE, face, mirror)
    alike = alike_pairs(HashedPairs(spark.createDataFrame([row], HASHED_PAIRS)), 10, 10)
    assert alike.columns == ALIKE_PAIRS.names
    assert [(each.difference, each.mirrored) for each in alike.collect()] == expected
    assert [(each.image, each.to_image, each.face, each.to) for each in alike.collect()] == [(1, 2, 10, 20)] * len(
        expected
    )
