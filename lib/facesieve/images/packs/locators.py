"""Uris of images in a pack: the uri of its file, the byte where the record begins, and a name: `train.rec@8342#17.jpg`.

The byte lets a worker read one image without any index. The name is what people call the image. `%` and `#` of file and
name are written as `%25` and `%23`, so that every uri leads to one image alone.
"""

from __future__ import annotations

import posixpath
import re
from typing import NamedTuple

from facesieve.images.content import suffixes_of
from facesieve.images.kinds import PICTURES
from facesieve.images.protocol import BadContent

_LOCATOR = re.compile(r"(?P<file>[^#]+)@(?P<offset>\d{1,19})#(?P<name>[^#]*)", re.DOTALL)


class Locator(NamedTuple):
    """The uri of a file, where a record begins in it, and the name of the record."""

    file: str
    offset: int
    name: str = ""

    @property
    def uri(self) -> str:
        """Return the uri of the image.

        >>> Locator("a/train.rec", 8342, "17.jpg").uri, Locator("b#1.tsv", 5, "m.01/1-FaceId-0.jpg").uri
        ('a/train.rec@8342#17.jpg', 'b%231.tsv@5#m.01/1-FaceId-0.jpg')
        """
        return f"{_escaped(self.file)}@{self.offset}#{_escaped(self.name)}"


def located(uri: str) -> Locator:
    """Return what a uri says. Raises BadContent for the uri of no record.

    >>> located("a/train.rec@8342#17.jpg")
    Locator(file='a/train.rec', offset=8342, name='17.jpg')
    """
    match = _LOCATOR.fullmatch(uri)
    if match is None:
        raise BadContent(f"{uri!r} names no record of a pack")
    return Locator(_plain(match["file"]), int(match["offset"]), _plain(match["name"]))


def with_suffix(name: str, head: bytes) -> str:
    r"""Add the usual suffix of a content that begins with `head` to a name that has none of them.

    >>> with_suffix("17", b"\xff\xd8\xff\xe0"), with_suffix("a.png", b"\xff\xd8\xff\xe0"), with_suffix("17", b"?")
    ('17.jpg', 'a.png', '17')
    """
    suffixes = suffixes_of(head)
    has_suffix = posixpath.splitext(name)[1].lower() in PICTURES
    return name + suffixes[0] if suffixes and not has_suffix else name


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("#", "%23")


def _plain(text: str) -> str:
    return text.replace("%23", "#").replace("%25", "%")
