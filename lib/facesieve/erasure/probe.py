"""The probe: photographs of a person, and how near a face of the lake must be to be shown as the person's."""

from __future__ import annotations

import hashlib
import json
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from facesieve.core.errors import ConfigError, Fault, StoreError
from facesieve.core.places import absolute, argument
from facesieve.images.storage import Storage
from facesieve.images.store_errors import in_words


@dataclass(frozen=True)
class Probe:
    """Places of photographs, the least cosine, and which face of a photograph counts (1: the largest; None: its one).

    Without a place there is no probe.
    """

    places: tuple[str, ...] = ()
    cosine: float = 0.0
    face: int | None = None

    @classmethod
    def of(cls, arguments: Namespace) -> Self:
        """Read it from the arguments. Raises ConfigError with all that is wrong with them."""
        faults = list(_faults(arguments.probe, arguments.cosine, arguments.face))
        if faults:
            raise ConfigError(faults)
        return cls(tuple(arguments.probe), arguments.cosine or 0.0, arguments.face)

    def __bool__(self) -> bool:
        return bool(self.places)

    @property
    def settings(self) -> str:
        """How candidates are chosen, without the photographs: those may be erased themselves."""
        return json.dumps([self.cosine, self.face])

    def contents(self, most: int) -> list[bytes]:
        """Read the photographs, of each `most` bytes and one more. Raises ConfigError."""
        return [_content(number, place, most) for number, place in enumerate(self.places, 1)]


def add_probe(parser: ArgumentParser) -> None:
    """Declare the arguments of a probe."""
    parser.add_argument(
        "--probe",
        type=argument,
        action="append",
        default=[],
        metavar="FILE",
        help="all images with a face near that of a photograph",
    )
    parser.add_argument("--cosine", type=float, metavar="C", help="with --probe: how near, above 0 and below 1")
    parser.add_argument("--face", type=int, metavar="N", help="with --probe: its N-th face, of which 1 is the largest")


def digest_of(images: Sequence[int]) -> str:
    """Return what names a set of images, to be confirmed by it.

    >>> digest_of([7, 3]) == digest_of([3, 7]), digest_of([3])
    (True, '4e07408562bedb8b')
    """
    return hashlib.sha256(",".join(map(str, sorted(images))).encode()).hexdigest()[:16]


def _faults(places: Sequence[str], cosine: float | None, face: int | None) -> list[Fault]:
    faults = list[Fault]()
    if not places and (cosine is not None or face is not None):
        name = "--face" if cosine is None else "--cosine"
        faults.append(Fault(name, "is there without --probe", "Name a photograph with --probe, or leave it out."))
    if "" in places:
        faults.append(Fault("--probe", "is empty", "Name a file, or a URI."))
    if places and (cosine is None or not 0 < cosine < 1):
        wrong = "is not given" if cosine is None else f"{cosine:g} is not allowed"
        fix = "Say how near a face must be to that of the probe: above 0 and below 1."
        faults.append(Fault("--cosine", wrong, fix))
    if face is not None and face < 1:
        faults.append(Fault("--face", f"{face} is not allowed", "Count the faces of the picture from 1, the largest."))
    return faults


def _content(number: int, place: str, most: int) -> bytes:
    try:
        return Storage(absolute(place)).content(b"", most + 1)
    except (OSError, StoreError) as problem:
        why = in_words(problem) if isinstance(problem, OSError) else str(problem)
        raise ConfigError(
            [Fault("--probe", f"file {number} cannot be read ({why})", "Name a file, or a URI.")]
        ) from None
