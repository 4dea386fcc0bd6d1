"""A manifest tells which files and samples are the subject's, and which labels are nobody's after that."""

from __future__ import annotations

import pytest
from packed_exports import ANN

from facesieve.erasure.exported.manifest import Manifest
from facesieve.erasure.exported.own_files import NOT_WHOLE
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


def test_the_mark_that_a_spreadsheet_writes_is_no_part_of_a_column(target: Storage) -> None:
    folder = target.child("webdataset")
    plain = Manifest.read(folder, ANN)
    folder.write("manifest.csv", b"\xef\xbb\xbf" + folder.read("manifest.csv").replace(b"\n", b"\r\n"))
    assert Manifest.read(folder, ANN) == plain


def test_a_rounded_id_is_told_by_its_digest(target: Storage) -> None:
    folder, digest = target.child("webdataset"), f"{1:064d}"
    assert f",1,101,{digest}".encode() in folder.read("manifest.csv")
    folder.write("manifest.csv", folder.read("manifest.csv").replace(b",1,101,", b",1000,1000,"))
    manifest = Manifest.read(folder, Subject(images=(1,), digests=(digest,)))
    assert [(row["image_id"], row["number"]) for row in manifest.going] == [("1000", "0")]


HEAD = "path,number,identity,label,image_id\n"


@pytest.mark.parametrize(
    "content",
    [
        *("", "a,b\n1,2\n", HEAD.replace("image_id", "id"), HEAD.replace(",", ";") + "a.tar;0;ann;0;1\n"),
        *(HEAD + row for row in ("a.tar,0,ann,0,9.16E+18", "a.tar,0,ann,0,", "a.tar,0,ann,-1,1", "a.tar,x,ann,0,1")),
        *(HEAD + row for row in ("a.tar,0,ann", "a.tar,0,ann,0,1,", '"a.tar,0,ann,0,1', f"{'x' * 2**18},0,ann,0,1")),
        *((HEAD + "a.tar,0,Zo\u00eb,0,1").encode(encoding) for encoding in ("latin-1", "utf-16")),
    ],
)
def test_what_is_no_manifest_is_an_error(target: Storage, content: str | bytes) -> None:
    target.write("webdataset/manifest.csv", content if isinstance(content, bytes) else content.encode())
    with pytest.raises(NOT_WHOLE):
        Manifest.read(target.child("webdataset"), ANN)


def test_a_lost_manifest_is_an_error(target: Storage) -> None:
    target.delete_tree("webdataset/manifest.csv")
    with pytest.raises(FileNotFoundError):
        Manifest.read(target.child("webdataset"), ANN)
    target.write("webdataset/manifest.csv/a", b"")
    with pytest.raises(FileNotFoundError):
        Manifest.read(target.child("webdataset"), ANN)
