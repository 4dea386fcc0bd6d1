"""What stands before an image in a record of MXNet: `IfQQ` (flag, label, id, id2), then `flag` more labels.

Labels are 32-bit floats. Such a float is inexact above 2^24: two people there may have one label.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from facesieve.images.protocol import BadContent

HEADER = struct.Struct("<IfQQ")
MOST_LABEL = 1 << 24
_LABEL = struct.Struct("<f")


class Head(NamedTuple):
    """How many labels follow the header, the first label, and at which byte of the record the image begins."""

    labels: int
    label: float
    image: int


def head(begin: bytes, size: int) -> Head:
    """Read what stands before an image.

    begin: the first bytes of a record of `size` bytes, HEADER.size + 4 at least where it has so many. Raises
    BadContent if the record is shorter than its header says.
    """
    if size < HEADER.size:
        raise BadContent(f"the record has {size} bytes, and its header {HEADER.size}: it holds no image")
    flag, label, _, _ = HEADER.unpack_from(begin)
    image = HEADER.size + _LABEL.size * flag
    if size < image:
        raise BadContent(f"the header says that {flag} labels follow, and the record has {size} bytes")
    return Head(flag, _LABEL.unpack_from(begin, HEADER.size)[0] if flag else label, image)


def identity(label: float) -> str | None:
    """Return whom a label stands for, in digits; None for a negative number, which stands for nobody.

    Raises BadContent for a label that is no whole number, or above MOST_LABEL.

    >>> identity(17.0), identity(-1.0)
    ('17', None)
    """
    if not float(label).is_integer():
        raise BadContent(f"its label {label:g} is no whole number")
    if label > MOST_LABEL:
        raise BadContent(f"its label {label:.0f} is above 16777216, where labels of 32 bits are inexact")
    return None if label < 0 else str(int(label))
