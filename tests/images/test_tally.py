from __future__ import annotations

from facesieve.images.protocol import IgnoredKind, Sort
from facesieve.images.tally import Tally
from facesieve.images.walk import Entry


def test_kinds_are_counted_with_their_first_uri_the_most_frequent_first() -> None:
    tally = Tally()
    for uri, kind, sort in (
        ("b.txt", ".txt", Sort.NO_IMAGE),
        ("c", ".gif", Sort.MAYBE),
        ("a.txt", ".txt", Sort.NO_IMAGE),
        ("d", ".gif", Sort.LITTER),
    ):
        tally.add(Entry(uri, None, None, kind, sort))
    tally.add(Entry("image.jpg", 3, 4))
    tally.count(".none", Sort.MAYBE, 0, "")
    assert tally.ignored().kinds == (
        IgnoredKind(".txt", Sort.NO_IMAGE, 2, "a.txt"),
        IgnoredKind(".gif", Sort.MAYBE, 1, "c"),
        IgnoredKind(".gif", Sort.LITTER, 1, "d"),
    )
    assert [(row.uri, row.size) for row in tally.rows()] == [("a.txt", 2), ("c", 1), ("d", 1)]
