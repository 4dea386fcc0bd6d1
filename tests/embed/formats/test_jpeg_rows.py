"""A JPEG decodes if and only if all its rows are in the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import hostile
import jpegs
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from facesieve.core.reasons import Reason
from facesieve.core.sections import Embed
from facesieve.embed.decode import picture
from facesieve.embed.formats.jpeg_rows import rows_of
from facesieve.embed.picture import Picture, Unusable

EMBED = Embed()
SEQUENTIAL = [kind for kind in jpegs.KINDS if "progressive" not in kind]
PROGRESSIVE = [kind for kind in jpegs.KINDS if "progressive" in kind]
BLOCKS = 2 * 16
"""Side of the corner that the last blocks of a picture take, in pixels, whatever the subsampling."""

SOFT = 3.0
"""Mean difference in levels from the whole picture, both at a quarter, of a progressive one without its last scans."""


def outcome(content: bytes) -> Picture | Unusable:
    try:
        return picture(content, EMBED)
    except Unusable as why:
        return why


def lacking(content: bytes, whole: Any) -> Any:
    """Which pixels a file that is cut does not have as they were, by decoding what is there and nothing else."""
    body = content.rstrip(b"\0").removesuffix(jpegs.END).removesuffix(b"\xff") + jpegs.END
    return (jpegs.pixels(body) != whole).any(axis=2)


def quarter(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    return np.asarray(Image.fromarray(pixels).reduce(4)).astype(np.int64)


def is_refused(why: Picture | Unusable) -> bool:
    if isinstance(why, Unusable):
        assert (why.reason, "truncated" in why.detail) == (Reason.UNDECODABLE, True), why.detail
        return True
    return False


@pytest.mark.parametrize("kind", jpegs.KINDS)
def test_without_its_end_marker_a_whole_jpeg_has_the_same_pixels_and_a_note(kind: str) -> None:
    for image in jpegs.scenes():
        content = hostile.encoded(image, "JPEG", **jpegs.KINDS[kind])
        sound = picture(content, EMBED)
        assert sound.notes == ()
        assert np.array_equal(sound.pixels, jpegs.pixels(content))
        for behind in (b"", b"\xff", bytes(4_096)):
            mended = picture(content[:-2] + behind, EMBED)
            assert np.array_equal(mended.pixels, sound.pixels)
            assert mended.notes == (Reason.REPAIRED,)


@pytest.mark.parametrize("kind", ["plain", "progressive"])
def test_without_its_end_marker_a_jpeg_may_end_in_a_zero_of_its_own(kind: str) -> None:
    """A plain corner ends in blocks without detail: their codes are zeros, and fill a byte at some widths."""
    zeros = 0
    for width in range(64, 160, 3):
        image = hostile.scene(width, 80)
        image.paste("white", (0, 40, width, 80))
        content = hostile.encoded(image, "JPEG", quality=90, **jpegs.KINDS[kind])
        zeros += content[-3] == 0
        for behind in (b"", bytes(4_096)):
            mended = picture(content[:-2] + behind, EMBED)
            assert np.array_equal(mended.pixels, jpegs.pixels(content))
    assert zeros > 0


@pytest.mark.parametrize("kind", SEQUENTIAL)
def test_a_sequential_jpeg_that_is_cut_is_refused_unless_only_a_corner_is_missing(kind: str) -> None:
    refused = 0
    for cut in jpegs.cuts(jpegs.scenes(), kind):
        whole = jpegs.pixels(cut.whole)
        missing, answer = lacking(cut.content, whole), outcome(cut.content)
        refused += is_refused(answer)
        if isinstance(answer, Picture):
            assert not missing[:-BLOCKS].any(), f"{cut.kind} at {cut.share:.2f}"
            assert not missing[:, :-BLOCKS].any(), f"{cut.kind} at {cut.share:.2f}"
    assert refused > 30


@pytest.mark.parametrize("kind", PROGRESSIVE)
def test_a_progressive_jpeg_that_is_cut_is_refused_or_only_softer(kind: str) -> None:
    answers = {True: 0, False: 0}
    for cut in jpegs.cuts(jpegs.scenes(), kind):
        answer = outcome(cut.content)
        answers[is_refused(answer)] += 1
        if isinstance(answer, Picture):
            assert Reason.REPAIRED in answer.notes or cut.behind == jpegs.END
            assert np.abs(quarter(answer.pixels) - quarter(jpegs.pixels(cut.whole))).mean() < SOFT
        elif cut.share > 0.9:
            pytest.fail(f"only refinements are missing at {cut.share:.2f}")
    assert min(answers.values()) > 5


def test_a_last_scan_that_everything_hangs_on_is_looked_at_twice() -> None:
    """Without refinements the last scan is that of the high frequencies: cut in it, the lower rows are blurred."""
    content = hostile.encoded(hostile.scene(250, 250, 1), "JPEG", progressive=True, quality=90)
    scans = rows_of(content).scans
    sixth = [place for place in range(len(content)) if content.startswith(b"\xff\xda", place)][5]
    five = content[: content.rindex(b"\xff\xc4", 0, sixth)] if b"\xff\xc4" in content[:sixth] else content[:sixth]
    assert len(rows_of(five + jpegs.END).scans.every) == 5
    assert len(scans.every) == 10
    assert not is_refused(outcome(five + jpegs.END))
    assert is_refused(outcome(five[:-400] + jpegs.END))
    assert is_refused(outcome(five[: len(five) // 3] + jpegs.END))


@given(st.binary(max_size=200), st.integers(2, 3_000))
def test_any_bytes_are_prepared(tail: bytes, end: int) -> None:
    content = hostile.encoded(hostile.scene(40, 30), "JPEG", progressive=bool(end % 2))
    for each in (tail, content[:end] + tail):
        assert len(rows_of(each).content) <= len(each) + 20


def test_photographs_that_are_cut_are_refused(data: Path) -> None:
    for kind in jpegs.KINDS:
        for cut in jpegs.cuts(jpegs.scenes(data)[3:], kind, seed=1):
            if cut.share < 0.2:
                assert is_refused(outcome(cut.content)), f"{cut.kind} at {cut.share:.2f}"
