"""Exports lose the subject: files and shards are rewritten, and what is not whole goes."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from packed_exports import ANN as SUBJECT
from packed_exports import packed_exports
from pyarrow.fs import FileSystem

from facesieve.erasure.exports import Touched, files_below, without_subject
from facesieve.erasure.subject import Subject
from facesieve.images import storage
from facesieve.images.storage import Storage

ROWS = [(1, "ann", 0, "ann/1.jpg"), (2, "ann", 0, "ann/2\t.jpg"), (3, "bob", 1, "bob/3.jpg")]
PLAIN, PACKED = ("folders", "crops"), ("webdataset", "huggingface", "recordio")
SHARDS = {
    "huggingface": [f"data/train-0000{number}-of-00003.parquet" for number in range(3)],
    "recordio": ["train.idx", "train.lst", "train.rec"],
    "webdataset": [f"00000{number}.tar" for number in range(3)],
}


@pytest.fixture
def root(tmp_path: Path) -> Storage:
    """All forms of the run r, and one that a killed run has left."""
    root = Storage(str(tmp_path))
    root.write("CURRENT", b"r")
    root.write("r/.facesieve", b"")
    packed_exports(root.child("r"))
    for form in PLAIN:
        lines = [f'{name}/{image}.jpg,"{uri}",{name},{label},{image},{image},x' for image, name, label, uri in ROWS]
        head = "path,uri,identity,label,image_id,face_id,sha256"
        root.write(f"r/{form}/manifest.csv", "\n".join([head, *lines, ""]).encode())
        for image, name, *_ in ROWS:
            root.write(f"r/{form}/{name}/{image}.jpg", str(image).encode())
        root.write(f"r/{form}/_SUCCESS", b"7")
    rows = pa.table({"image_id": [1, 2, 3], "identity": ["ann", "ann", "bob"], "label": [0, 0, 1]})
    (tmp_path / "r/parquet/bucket=0").mkdir(parents=True)
    (tmp_path / "r/parquet/bucket=1").mkdir(parents=True)
    pq.write_table(rows, tmp_path / "r/parquet/bucket=0/part-00000.parquet")
    pq.write_table(rows.slice(0, 2), tmp_path / "r/parquet/bucket=1/part-00000.parquet")
    root.write("r/parquet/_SUCCESS", b"7")
    root.write("r/clean_list/clean_list.txt", b"ann\tann/1.jpg\nann\tann/2%09.jpg\nbob\tbob/3.jpg\n")
    root.write("r/clean_list/_SUCCESS", b"7")
    root.write("r/folders/.facesieve-0a", b"half a file")
    root.write("killed/.facesieve", b"")
    root.write("killed/folders/ann/1.jpg", b"1")
    root.write("others/folders/ann/1.jpg", b"no export of facesieve")
    return root


def test_a_dry_run_says_what_would_be_done_and_does_nothing(root: Storage) -> None:
    before = {name: root.read(name) for name in files_below(root)}
    touched = without_subject(root, SUBJECT, apply=False)
    assert {name: root.read(name) for name in files_below(root)} == before
    assert sorted(touched, key=lambda each: (each.run, each.form)) == [
        Touched("killed", "folders", "removed"),
        Touched("r", "clean_list", "rewritten", 2),
        Touched("r", "crops", "rewritten", 2),
        Touched("r", "folders", "rewritten", 2),
        Touched("r", "huggingface", "rewritten", 2),
        Touched("r", "parquet", "rewritten", 4),
        Touched("r", "recordio", "rewritten", 2),
        Touched("r", "webdataset", "rewritten", 2),
    ]


def test_the_subject_leaves_and_the_rest_is_whole(root: Storage) -> None:
    without_subject(root, SUBJECT, apply=True)
    assert files_below(root) == [
        "CURRENT",
        "killed/.facesieve",
        "others/folders/ann/1.jpg",
        "r/.facesieve",
        "r/clean_list/_SUCCESS",
        "r/clean_list/clean_list.txt",
        *(f"r/{form}/{name}" for form in ("crops", "folders") for name in ("_SUCCESS", "bob/3.jpg", "manifest.csv")),
        *(f"r/huggingface/{name}" for name in ("_SUCCESS", *SHARDS["huggingface"], "manifest.csv")),
        "r/labels.csv",
        "r/parquet/_SUCCESS",
        "r/parquet/bucket=0/part-00000.parquet",
        *(f"r/recordio/{name}" for name in ("_SUCCESS", "manifest.csv", *SHARDS["recordio"])),
        *(f"r/webdataset/{name}" for name in sorted(("_SUCCESS", "manifest.csv", *SHARDS["webdataset"]))),
    ]
    assert not root.exists("r/folders/ann"), "the name of a folder is a name too"
    assert root.read("r/labels.csv") == b"label,identity,images\n1,bob,2\n2,cid,1\n"
    assert root.read("r/clean_list/clean_list.txt") == b"bob\tbob/3.jpg\n"
    assert root.read("r/folders/manifest.csv").decode().splitlines()[1:] == ["bob/3.jpg,bob/3.jpg,bob,1,3,3,x"]
    again = without_subject(root, SUBJECT, apply=True)
    assert again == []


def test_an_export_without_the_subject_stays(root: Storage) -> None:
    before = {name: root.read(name) for name in files_below(root) if not name.startswith(("killed", "r/folders/."))}
    without_subject(root, Subject(images=(9,), uris=("x",)), apply=True)
    assert {name: root.read(name) for name in files_below(root) if name != "killed/.facesieve"} == {
        name: content for name, content in before.items() if name != "killed/.facesieve"
    }


def forms(touched: list[Touched]) -> dict[str, str]:
    return {each.form: each.action for each in touched if each.run == "r"}


MANIFEST_FORMS = (*PLAIN, *SHARDS)
WHOLE = dict.fromkeys((*MANIFEST_FORMS, "parquet", "clean_list"), "rewritten")


@pytest.mark.parametrize(
    "path", ["", ".", "..", "../../victim", "/", "ann", "bob", "bob/", "train/eve", "a\0b", "x" * 300, "_SUCCESS"]
)
def test_a_row_whose_path_names_no_picture_takes_nothing_with_it(root: Storage, path: str) -> None:
    root.write("victim", b"not below the form")
    for form in PLAIN:
        root.write(f"r/{form}/train/eve/9.jpg", b"in a folder that a row may name")
        content = root.read(f"r/{form}/manifest.csv")
        root.write(f"r/{form}/manifest.csv", content.replace(b"ann/1.jpg,", f"{path},".encode(), 1))
    assert forms(without_subject(root, SUBJECT, apply=True)) == WHOLE
    assert root.exists("victim")
    for form in PLAIN:
        assert files_below(root.child("r"), form) == [
            *(f"{form}/{name}" for name in ("_SUCCESS", "ann/1.jpg", "bob/3.jpg", "manifest.csv", "train/eve/9.jpg"))
        ]
        assert root.read(f"r/{form}/manifest.csv").splitlines()[1:] == [b"bob/3.jpg,bob/3.jpg,bob,1,3,3,x"]


@pytest.mark.parametrize("spoilt", [None, b"", b"a;b\n", b"path,identity,label,image_id\nann/1.jpg,ann,0,9.16E+18\n"])
@pytest.mark.parametrize("form", MANIFEST_FORMS)
def test_a_form_whose_manifest_is_lost_or_spoilt_goes(root: Storage, form: str, spoilt: bytes | None) -> None:
    root.delete_tree(f"r/{form}/manifest.csv")
    if spoilt is not None:
        root.write(f"r/{form}/manifest.csv", spoilt)
    before = files_below(root)
    assert forms(without_subject(root, SUBJECT, apply=False)) == WHOLE | {form: "removed"}
    assert files_below(root) == before
    assert forms(without_subject(root, SUBJECT, apply=True)) == WHOLE | {form: "removed"}
    assert not root.exists(f"r/{form}")


def test_a_manifest_that_a_spreadsheet_has_saved_is_read(root: Storage) -> None:
    for form in MANIFEST_FORMS:
        root.write(f"r/{form}/manifest.csv", b"\xef\xbb\xbf" + root.read(f"r/{form}/manifest.csv"))
    assert forms(without_subject(root, SUBJECT, apply=True)) == WHOLE
    assert root.exists("r/folders/bob/3.jpg")
    assert not root.exists("r/folders/ann")


@pytest.mark.parametrize(
    ("form", "file"),
    [
        *(("parquet", "bucket=1/part-00000.parquet"), ("clean_list", "clean_list.txt"), ("webdataset", "000000.tar")),
        *(("huggingface", "data/train-00000-of-00003.parquet"), ("recordio", "train.rec"), ("recordio", "train.lst")),
    ],
)
@pytest.mark.parametrize("spoilt", [b"", b"\xff" * 600, None])
def test_a_form_with_a_file_of_ours_that_cannot_be_read_goes(
    root: Storage, form: str, file: str, spoilt: bytes | None
) -> None:
    name = f"r/{form}/{file}"
    if spoilt is None and form not in SHARDS:
        pq.write_table(pa.table({"image_id": [1]}), Path(root.root) / name)
    elif spoilt is None:
        root.delete_tree(name)
        root.write(f"{name}/a", b"a folder stands there")
    else:
        root.write(name, spoilt or b"no picture and no tab")
    assert forms(without_subject(root, SUBJECT, apply=True)) == WHOLE | {form: "removed"}
    assert not root.exists(f"r/{form}")
    assert root.read("r/labels.csv") == b"label,identity,images\n1,bob,2\n2,cid,1\n"


def test_who_was_in_a_form_that_goes_is_not_counted(root: Storage) -> None:
    folder = Path(root.root) / "r/parquet/bucket=0"
    pq.write_table(pa.table({"image_id": [9], "identity": ["dan"], "label": [3]}), folder / "part-00001.parquet")
    root.write("r/parquet/bucket=1/part-00001.parquet", b"cut")
    assert forms(without_subject(root, SUBJECT, apply=True)) == WHOLE | {"parquet": "removed"}
    assert b"dan" not in root.read("r/labels.csv")


@pytest.mark.parametrize("spoilt", [(), ("huggingface", "parquet", "crops")])
def test_a_store_elsewhere_loses_the_same(
    root: Storage, spoilt: Sequence[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    local, elsewhere = storage._resolve, FileSystem.from_uri("mock:///")[0]

    def resolve(name: str) -> tuple[FileSystem, str]:
        return (elsewhere, name.removeprefix("mock:///")) if name.startswith("mock:") else local(name)

    monkeypatch.setattr(storage, "_resolve", resolve)
    remote = Storage("mock:///store")
    files = {"huggingface": "data/train-00000-of-00003.parquet", "parquet": "bucket=0/part-00000.parquet"}
    for form in spoilt:
        root.write(f"r/{form}/{files.get(form, 'manifest.csv')}", b"\xff" * 600)
    root.write("r/folders/manifest.csv", root.read("r/folders/manifest.csv").replace(b"ann/1.jpg,", b",", 1))
    for name in files_below(root):
        remote.write(name, root.read(name))
    assert without_subject(remote, SUBJECT, apply=True) == without_subject(root, SUBJECT, apply=True)
    assert {name: remote.read(name) for name in files_below(remote)} == {
        name: root.read(name) for name in files_below(root)
    }
    assert [form for form in spoilt if root.exists(f"r/{form}")] == []
    assert remote.exists("r/folders/ann/1.jpg")


def test_foreign_files_stay_whatever_they_hold(root: Storage) -> None:
    mine = {
        *(
            f"r/{form}/{name}"
            for form in ("parquet", "clean_list")
            for name in ("notes.parquet", "notes.txt", "a/b.txt")
        ),
        *("r/huggingface/data/notes.parquet", "r/webdataset/notes.tar", "r/folders/bob/notes.txt", "notes.txt"),
    }
    for name in mine:
        root.write(name, b"\xe9 no parquet, and no UTF-8")
    pq.write_table(pa.table({"image_id": [1]}), Path(root.root) / "r/parquet/more.parquet")
    latin = [f"{folder}/caf\udce9" for folder in ("r/parquet", "r/folders/ann", "r/huggingface/data", "r", "others")]
    latin.append("r/folders/.facesieve-\udce9")
    for name in latin:
        (Path(root.root) / name).write_bytes(b"")
    (Path(root.root) / os.fsdecode(b"run \xe9")).mkdir()
    assert forms(without_subject(root, SUBJECT, apply=True)) == WHOLE
    assert {*mine, *latin, "r/parquet/more.parquet"} <= set(files_below(root))


@pytest.mark.parametrize(
    "content", [b"", b"\0", b"\xff\xfe\0", b"..", b"/", b"a//b", b"gone", b"killed", b"\n" * 9, b"r" * 5000, b"r\nr"]
)
def test_a_pointer_that_names_nothing_whole_goes(root: Storage, content: bytes) -> None:
    root.write("CURRENT", content)
    without_subject(root, SUBJECT, apply=False)
    assert root.read("CURRENT") == content
    without_subject(root, SUBJECT, apply=True)
    assert not root.exists("CURRENT")


@pytest.mark.parametrize("content", [b"r\n", b"\xef\xbb\xbfr\r\n"])
def test_a_pointer_that_an_editor_has_saved_names_its_run(root: Storage, content: bytes) -> None:
    root.write("CURRENT", content)
    without_subject(root, SUBJECT, apply=True)
    assert root.read("CURRENT") == content


def test_a_folder_in_the_place_of_the_labels_stays(root: Storage) -> None:
    root.delete_tree("r/labels.csv")
    root.write("r/labels.csv/mine.txt", b"mine")
    assert forms(without_subject(root, SUBJECT, apply=True)) == WHOLE
    assert root.read("r/labels.csv/mine.txt") == b"mine"


def test_nothing_is_current_where_nothing_whole_is_left(root: Storage) -> None:
    for form in ("parquet", "folders", "crops", "clean_list", "recordio"):
        root.delete_tree(f"r/{form}")
    root.write("r/webdataset/000000.tar", b"cut")
    root.delete_tree("r/huggingface/data/train-00001-of-00003.parquet")
    touched = without_subject(root, SUBJECT, apply=True)
    assert [each.action for each in touched if each.run == "r"] == ["removed"] * 2, "shards that are not whole"
    assert not root.exists("CURRENT")
    assert not root.exists("r/labels.csv")
    assert json.dumps(without_subject(Storage(str(Path(root.root) / "absent")), SUBJECT, apply=True)) == "[]"
