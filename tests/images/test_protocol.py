from __future__ import annotations

from facesieve.images.protocol import Ignored, IgnoredKind, Sort

IGNORED = Ignored(
    (
        IgnoredKind("@eaDir", Sort.LITTER, 9, "a/@eaDir/1.jpg"),
        IgnoredKind(".txt", Sort.NO_IMAGE, 3, "a.txt"),
        IgnoredKind(".heic", Sort.MAYBE, 2, "b.heic"),
        IgnoredKind(".md", Sort.NO_IMAGE, 1, "b.md"),
    )
)


def test_all_kinds_are_counted() -> None:
    assert IGNORED.files == 15
    assert Ignored().files == 0
    assert IGNORED.of(Sort.MAYBE, Sort.LITTER).files == 11


def test_the_ledger_gets_kinds_by_sort() -> None:
    assert IGNORED.by_sort() == {
        "litter": {"@eaDir": 9},
        "no image": {".txt": 3, ".md": 1},
        "could be an image": {".heic": 2},
    }
