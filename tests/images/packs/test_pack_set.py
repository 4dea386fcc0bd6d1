from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
from pack_writers import face_line, labelled, recordio, tf_example, tf_framed
from pyspark.sql import SparkSession

from facesieve.core.errors import ConfigError
from facesieve.core.sections import Columns, Images
from facesieve.images.protocol import SOURCE_IMAGES, BadContent, IgnoredKind, Sort
from facesieve.images.sources import source

JPEG = b"\xff\xd8\xff\xe0"
PICTURES = [JPEG + bytes([65 + number]) * 40 for number in range(12)]


def _recordio(root: Path) -> None:
    people = [labelled(number // 2, picture, number) for number, picture in enumerate(PICTURES)]
    recordio(root / "faces", [labelled([13, 15], b""), *people, labelled([1, 3], b""), labelled([3, 5], b"")])


def _tfrecord(root: Path) -> None:
    root.mkdir(parents=True, exist_ok=True)
    examples = [tf_example({"image/encoded": picture, "label": at // 2}) for at, picture in enumerate(PICTURES)]
    for part in range(2):
        records = b"".join(map(tf_framed, examples[part::2]))
        (root / f"a.tfrecord-0000{part}-of-00002").write_bytes(records)


def _msceleb(root: Path) -> None:
    root.mkdir(parents=True, exist_ok=True)
    lines = [face_line(str(at // 2), at, "FaceId-0", picture) for at, picture in enumerate(PICTURES)]
    (root / "faces.tsv").write_bytes(b"".join(lines))


WRITERS: dict[str, Callable[[Path], None]] = {"recordio": _recordio, "tfrecord": _tfrecord, "msceleb": _msceleb}


@pytest.mark.parametrize("form", WRITERS)
def test_packs_give_every_image_once_with_its_identity(spark: SparkSession, tmp_path: Path, form: str) -> None:
    root = tmp_path / "p 100%#"
    WRITERS[form](root)
    (root / "notes.txt").touch()
    images = source(Images(root=str(root), format=form))
    images.check()
    frame = images.images(spark)
    assert frame.dtypes == [(column.name, column.dataType.simpleString()) for column in SOURCE_IMAGES]
    rows = frame.collect()
    assert (len(rows), images.count(spark), images.rows()) == (12, 12, None)
    assert sorted(images.images(spark, content=False).collect()) == sorted(rows)
    fetch = pickle.loads(pickle.dumps(images.fetch()))
    contents = {fetch(row.uri): row.identity for row in rows}
    assert contents == {picture: str(number // 2) for number, picture in enumerate(PICTURES)}
    assert {row.size for row in rows} == {44}
    assert all(row.modified and row.content is None for row in rows)
    kinds = {kind.kind: kind.files for kind in images.ignored(spark).kinds}
    records = {"record of an identity, without an image": 3} if form == "recordio" else {}
    assert kinds == {".txt": 1} | records
    state = images.state(spark)
    assert state == source(Images(root=str(root), format=form)).state(spark)
    os.utime(next(root.rglob("*.[rt]*[cvs0]*")), (1, 1))
    assert state != source(Images(root=str(root), format=form)).state(spark)


def test_what_is_broken_is_a_row_that_its_fetch_explains(spark: SparkSession, tmp_path: Path) -> None:
    _recordio(tmp_path)
    pack, index = tmp_path / "faces" / "train.rec", tmp_path / "faces" / "train.idx"
    content = bytearray(pack.read_bytes())
    lines = index.read_text().splitlines()
    at = int(lines[3].split("\t")[1])
    content[at] ^= 1
    pack.write_bytes(content[:-4])
    index.write_text("\n".join([*lines, "99\t999999"]) + "\n")
    images = source(Images(root=str(tmp_path), format="recordio"))
    images.check()
    broken = {row.uri for row in images.images(spark).collect() if row.size == 0}
    assert broken == {
        f"faces/train.rec@{at}#3",
        "faces/train.rec@999999#99",
        f"faces/train.rec@{lines[14].split(chr(9))[1]}#14",
    }
    for uri, problem in zip(sorted(broken), ("no record begins", "is cut", "is not there"), strict=True):
        with pytest.raises(BadContent, match=problem):
            images.fetch()(uri)
    assert images.count(spark) == 14


def test_records_that_the_index_does_not_name_are_told(spark: SparkSession, tmp_path: Path) -> None:
    _recordio(tmp_path)
    index = tmp_path / "faces" / "train.idx"
    index.write_text("".join(index.read_text().splitlines(keepends=True)[:6]))
    images = source(Images(root=str(tmp_path), format="recordio"))
    kind = IgnoredKind("pack with records that its index does not name", Sort.MAYBE, 1, "faces/train.rec")
    assert (images.count(spark), kind in images.ignored(spark).kinds) == (5, True)


def test_a_pack_that_cannot_be_opened_is_an_image_that_cannot_be_read(spark: SparkSession, tmp_path: Path) -> None:
    _msceleb(tmp_path)
    images = source(Images(root=str(tmp_path), format="msceleb"))
    images.check()
    (tmp_path / "faces.tsv").unlink()
    (row,) = images.images(spark).collect()
    assert (row.uri, row.size) == ("faces.tsv@0#", None)
    with pytest.raises(FileNotFoundError):
        images.fetch()(row.uri)


def test_a_root_without_packs_is_a_fault_that_names_key_and_fix(tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.jpg").touch()
    _tfrecord(tmp_path / "tf")
    for root, form, key, problem in (
        ("absent", "recordio", "images.root", "does not exist"),
        ("nothing", "recordio", "images.root", "holds no image: there is not a .rec file"),
        ("images", "msceleb", "images.root", 'there is not a .tsv file, but 1 image file. images.format = "files"'),
        ("tf", "tfrecord", "images.columns", "no bytes in a feature face"),
    ):
        with pytest.raises(ConfigError) as caught:
            source(Images(root=str(tmp_path / root), format=form, columns=Columns(bytes="face"))).check()
        assert caught.value.faults[0].key == key
        assert problem in str(caught.value)
