"""What the markers of a JPEG say of its scans, without decoding any: how many, of which coefficients, where they end.

The one scan of most JPEGs holds all components, row after row. A progressive JPEG has some ten scans, and each adds
coefficients, or low bits of them, to all rows. Source: ITU-T T.81, annexes B and G.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import NamedTuple

MOST_SCANS = 100
"""So many scans may be: with thousands of them, small files take minutes."""

_MOST_SEGMENTS = 20_000
"""A file of more segments is not read to its end; sound files have some dozens."""

_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]")
_FIRST_FRAME, _LAST_FRAME, _NO_FRAMES = 0xC0, 0xCF, (0xC4, 0xC8, 0xCC)
_SEQUENTIAL, _PROGRESSIVE = (0xC0, 0xC1), 0xC2
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
_COEFFICIENTS = 64
_SHORTEST_FRAME, _SHORTEST_SCAN = 9, 6


class Scan(NamedTuple):
    """One scan: its components, its first and last coefficient, and how many low bits it leaves out."""

    components: tuple[int, ...]
    first: int
    last: int
    low: int


@dataclass
class Scans:
    """The scans of the first image of a JPEG file, in order.

    frame: the code of the frame's marker, 0 if there is none. bits: of a sample. first_end, end: where the bytes of the
    first scan and of the last end. ended: a marker follows each scan, so that none is cut as far as markers tell.
    """

    frame: int = 0
    bits: int = 0
    components: tuple[int, ...] = ()
    every: list[Scan] = field(default_factory=list)
    first_end: int = 0
    end: int = 0
    ended: bool = False

    @property
    def streamed(self) -> bool:
        """Whether the first scan holds everything, so that rows come in the order of the bytes."""
        return self.frame in _SEQUENTIAL and bool(self.every) and set(self.every[0].components) == set(self.components)

    @property
    def layered(self) -> bool:
        """Whether no row is complete before the last scan."""
        return self.frame in (*_SEQUENTIAL, _PROGRESSIVE) and bool(self.every) and not self.streamed

    def hold_all(self, count: int) -> bool:
        """Say whether the first `count` scans hold all rows: all coefficients of brightness, and the means of colour.

        Low bits may be left out, and so may the fine detail of colour.
        """
        read = {(part, place) for scan in self.every[:count] for part in scan.components for place in _places(scan)}
        brightness = {(part, place) for part in self.components[:1] for place in range(_COEFFICIENTS)}
        return (brightness | {(part, 0) for part in self.components}) <= read

    def exact(self) -> bool:
        """Say whether the scans hold all of `hold_all` to the lowest bit."""
        finest = [scan for scan in self.every if scan.low == 0]
        return replace(self, every=finest).hold_all(len(finest))


def scans_of(content: bytes) -> Scans:
    """Read the markers of a JPEG file, from segment to segment: bytes like them stand in segments, too.

    It ends with the scan after `MOST_SCANS`. A file with more segments than any sound one has no scans.
    """
    scans, place = Scans(end=len(content)), 2
    for _ in range(_MOST_SEGMENTS):
        marker = _MARKER.search(content, place)
        if marker is None or len(scans.every) > MOST_SCANS:
            return scans
        code, body = marker.group()[1], marker.end()
        place = body + int.from_bytes(content[body : body + 2], "big")
        scans.first_end = scans.first_end or (marker.start() if scans.every else 0)
        scans.ended = code == _END_OF_IMAGE
        if scans.ended or place > len(content):
            scans.end = marker.start()
            return scans
        _take(scans, code, content[body + 2 : place])
    return Scans(end=len(content))


def _take(scans: Scans, code: int, segment: bytes) -> None:
    """Note the frame or the scan that a segment begins; a segment that is too short says nothing."""
    if _FIRST_FRAME <= code <= _LAST_FRAME and code not in _NO_FRAMES and len(segment) >= _SHORTEST_FRAME:
        scans.frame, scans.bits, scans.components = code, segment[0], tuple(segment[6 : 6 + 3 * segment[5] : 3])
    elif code == _START_OF_SCAN and len(segment) >= _SHORTEST_SCAN:
        first, last, bits = segment[-3:]
        scans.every.append(Scan(tuple(segment[1:-3:2]), first, last, bits & 0x0F))


def _places(scan: Scan) -> range:
    return range(scan.first, scan.last + 1)
