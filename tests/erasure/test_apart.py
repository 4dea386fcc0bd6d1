"""What a gone image shares with one that stays is no sign of it."""

from __future__ import annotations

import erasable
import lapsed

from facesieve.erasure.apart import apart
from facesieve.erasure.selection import of_images
from facesieve.lake.catalog import Lake

FROM = erasable.FROM


def test_a_path_a_digest_and_a_vector_of_others_stay(lapsed_lake: Lake) -> None:
    subject = of_images(lapsed_lake, (FROM + 1, FROM + 2))
    assert (subject.faces, subject.uris) == ((FROM + 101, FROM + 102), ("ann/1.jpg", "ann/2.jpg"))
    assert subject.names == (), "image 8 is of ann too"
    mine = apart(lapsed_lake, subject, 0.9995)
    assert (mine.images, mine.faces, mine.names) == (subject.images, subject.faces, subject.names)
    assert mine.uris == ("ann/2.jpg",), "image 8 has the path of image 1"
    assert mine.digests == (lapsed.DIGESTS[2],), "image 6 has the bytes of image 1"
    assert mine.vectors == (tuple(map(float, lapsed.vector_of(2))),)
    assert apart(lapsed_lake, of_images(lapsed_lake, (FROM + 7,)), 0.9995).uris == ("dan/7.jpg",)
