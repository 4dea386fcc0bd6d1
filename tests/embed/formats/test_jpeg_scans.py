"""What the markers of a JPEG say."""

from __future__ import annotations

import struct

import hostile
import jpegs
import pytest

from facesieve.embed.formats.jpeg_scans import MOST_SCANS, scans_of

SCENE = hostile.scene(97, 123)
PLAIN, PROGRESSIVE = (hostile.encoded(SCENE, "JPEG", progressive=each) for each in (False, True))


@pytest.mark.parametrize("kind", jpegs.KINDS)
def test_every_kind_is_streamed_or_layered_and_ends_at_its_end_marker(kind: str) -> None:
    content = hostile.encoded(SCENE, "JPEG", **jpegs.KINDS[kind])
    scans = scans_of(content + b"\0video\xff\xda\xff\xd9")
    assert (scans.ended, content[scans.end :], scans.bits, len(scans.components)) == (True, jpegs.END, 8, 3)
    assert (scans.streamed, scans.layered) == ("progressive" not in kind, "progressive" in kind)
    assert (scans.hold_all(len(scans.every)), scans.exact()) == (True, True)


def test_a_progressive_jpeg_has_all_brightness_long_before_its_last_scan() -> None:
    scans = scans_of(PROGRESSIVE)
    holding = [scans.hold_all(count) for count in range(len(scans.every) + 1)]
    assert len(scans.every) == 10
    assert holding == [False] * 5 + [True] * 6


def test_a_jpeg_cut_in_a_scan_or_between_two_is_not_ended() -> None:
    third = [place for place in range(len(PROGRESSIVE)) if PROGRESSIVE.startswith(b"\xff\xda", place)][2]
    within, header = scans_of(PROGRESSIVE[: third + 60]), scans_of(PROGRESSIVE[: third + 4])
    assert (within.ended, len(within.every), within.end) == (False, 3, third + 60)
    assert (header.ended, len(header.every), header.end) == (False, 2, third)
    assert not scans_of(PLAIN[:-2]).ended
    assert scans_of(PLAIN[:-2]).first_end == 0


def test_what_stands_in_segments_is_no_scan() -> None:
    scans, comment = scans_of(PLAIN), b"\xff\xda\0\x08\1\1\0\0\x3f\0" * 900
    segment = b"\xff\xfe" + struct.pack(">H", len(comment) + 2) + comment
    assert scans_of(PLAIN[:2] + segment + PLAIN[2:]).every == scans.every


def test_reading_ends_with_the_scan_after_the_most_and_with_the_most_segments() -> None:
    assert len(scans_of(hostile.scans(1_500)).every) == MOST_SCANS + 1
    assert not scans_of(hostile.segments(PLAIN, 0xFE, b"", 100_000)).every


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xd8", b"\xff\xd8\xff", b"\xff\xd8\xff\xc0\0\3\1\xff\xda\0\2", PLAIN[:30]]
)
def test_of_a_stump_nothing_is_known(content: bytes) -> None:
    scans = scans_of(content)
    assert (scans.streamed, scans.layered, scans.every) == (False, False, [])
