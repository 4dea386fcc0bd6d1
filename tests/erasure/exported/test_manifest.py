"""A manifest tells which files and samples are the subject's, and which labels are nobody's after that."""

from __future__ import annotations

from packed_exports import ANN

from facesieve.erasure.exported.manifest import Manifest
from facesieve.erasure.subject import Subject
from facesieve.images.storage import Storage


def test_rows_are_told_apart_by_their_image(target: Storage) -> None:
    folder = target.child("webdataset")
    manifest = Manifest.read(folder, ANN)
    assert [row["image_id"] for row in manifest.going] == ["1", "2"]
    assert manifest.paths == ("000000.tar", "000001.tar")
    assert [sorted(manifest.numbers(path)) for path in ("000000.tar", "000001.tar", "000002.tar")] == [[0], [2], []]
    assert manifest.labels == {0}
    assert Manifest.read(folder, Subject(images=(3,))).labels == frozenset(), "another image bears the label"
    manifest.write(folder)
    again = Manifest.read(folder, ANN)
    assert (again.columns, again.going, again.staying) == (manifest.columns, [], manifest.staying)
    assert Manifest.read(target.child("absent"), ANN) == Manifest((), (), ())
