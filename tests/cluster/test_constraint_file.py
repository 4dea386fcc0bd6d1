"""Pairs that people wrote: how files are read, what is wrong in them, which faces are meant, what contradicts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from facesieve.cluster.constraint_file import ConstraintRow, constraints, read_constraints
from facesieve.cluster.constraints import Constraints
from facesieve.cluster.frames import LISTED_FACES, ListedFaces
from facesieve.core.errors import ConfigError
from facesieve.images.side_tables import Entries

FACES = [
    # face_id, image_id, face_rank, identity
    (1, 10, 0, "Ann"),
    (2, 10, 1, "Ann"),
    (3, 20, 0, "Ann"),
    (4, 30, 0, "Bob"),
    (-5, 30, 1, "Bob"),
    (6, 40, 0, None),
    (7, 50, 0, None),
    (8, 60, 0, "Ann"),
]

Write = Callable[[str], str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a CSV file and return its path."""

    def written(text: str) -> str:
        file = tmp_path / "pairs.csv"
        file.write_bytes(text.encode("utf-8"))
        return str(file)

    return written


@pytest.fixture(scope="module")
def faces(spark: SparkSession) -> ListedFaces:
    return ListedFaces(spark.createDataFrame(FACES, LISTED_FACES).persist())


def faults(path: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read_constraints(path)
    assert {fault.key for fault in caught.value.faults} == {"cluster.constraints"}
    return [str(fault).removeprefix(f"cluster.constraints: {path} ") for fault in caught.value.faults]


def resolve(
    file: Entries[ConstraintRow], faces: ListedFaces, *, photos_differ: bool = False
) -> tuple[Constraints, list[str]]:
    warned: list[str] = []
    return constraints(file, faces, warned.append, photos_differ=photos_differ), warned


def contradiction(file: Entries[ConstraintRow], faces: ListedFaces, *, photos_differ: bool = False) -> str:
    with pytest.raises(ConfigError) as caught:
        resolve(file, faces, photos_differ=photos_differ)
    (fault,) = caught.value.faults
    assert fault.key == "cluster.constraints"
    return str(fault)


def test_csv_and_parquet_say_the_same(write: Write, tmp_path: Path) -> None:
    text = "kind,face_a,face_b,image_a,image_b\r\nmust, 3,1 ,,\r\n\r\ncannot,,,30,-20\r\nmust,1,3,,\r\n"
    from_csv = read_constraints(write("\ufeff" + text))
    assert [tuple(row) for row in from_csv.rows] == [
        ("line 2", True, False, 1, 3),
        ("line 4", False, True, -20, 30),
        ("line 5", True, False, 1, 3),
    ]
    columns = {"kind": ["cannot", "must"], "face_a": [None, 1], "face_b": [None, 3]}
    columns |= {"image_a": [-20, None], "image_b": [30, None]}
    pq.write_table(pa.table(columns), tmp_path / "pairs.parquet")
    from_parquet = read_constraints(str(tmp_path / "pairs.parquet"))
    assert from_parquet.digest == from_csv.digest
    assert from_parquet.rows[0].place == "row 1"
    assert read_constraints(write("kind,face_a,face_b\nmust,1,3\n")).digest != from_csv.digest


def test_a_folder_as_spark_writes_it(spark: SparkSession, tmp_path: Path) -> None:
    rows = spark.createDataFrame([("must", 1, 2), ("cannot", 3, 4)], "kind string, face_a long, face_b long")
    rows.repartition(2).write.parquet(str(tmp_path / "parquet"))
    rows.repartition(2).write.csv(f"file://{tmp_path}/csv", header=True)
    resolved = [read_constraints(str(tmp_path / "parquet")), read_constraints(f"file://{tmp_path}/csv")]
    assert sorted(row[1:] for row in resolved[1].rows) == [(False, False, 3, 4), (True, False, 1, 2)]
    assert resolved[0].digest == resolved[1].digest


def test_no_file(faces: ListedFaces, write: Write) -> None:
    nothing = read_constraints("")
    assert (nothing.rows, nothing.digest) == ((), "")
    resolved, warned = resolve(nothing, faces)
    assert (len(resolved.must), len(resolved.cannot), resolved.photos, warned) == (0, 0, None, [])
    assert not resolved.keeps_apart
    apart, _ = resolve(nothing, faces, photos_differ=True)
    assert apart.keeps_apart


def test_files_that_cannot_be_read(write: Write, tmp_path: Path) -> None:
    assert faults(str(tmp_path / "none.csv")) == [
        "cannot be read (it does not exist). Give a CSV file (UTF-8, with a header) or a Parquet file."
    ]
    for text in ("", "kind,face_a,face_b\n"):
        assert faults(write(text)) == ["holds no row. Write rows into it, or leave cluster.constraints empty."]
    assert "has more fields than the header" in faults(write("kind,face_a,face_b\nmust,1,2,3\n"))[0]
    file = tmp_path / "bytes.csv"
    for content in (b"PAR1 and no more", b"kind,face_a,face_b\nmust,\xff,2\n", b'kind,face_a\n"must'):
        file.write_bytes(content)
        assert "cannot be read" in faults(str(file))[0]
    assert "cannot be read" in faults("nowhere://pairs.csv")[0]


def test_columns_that_are_missing(write: Write) -> None:
    fix = "Write the columns kind, face_a, face_b (or image_a, image_b, or all four)."
    assert faults(write("type,a,b\nmust,1,2\n")) == [
        f"has no column kind. {fix}",
        f"has no columns of two faces or two images. {fix}",
    ]
    assert faults(write("kind,face_a,face_b,image_b\nmust,1,2,\n")) == [f"has image_b without image_a. {fix}"]


def test_all_that_is_wrong_in_rows_comes_at_once(write: Write, tmp_path: Path) -> None:
    rows = [
        "Must,1,2,,",
        "must,1.0,x,,",
        "cannot,1,,,",
        "must,,,,",
        "must,1,2,3,4",
        "cannot,7,7,,",
        f"must,1,{2**63},,",
    ]
    problems = faults(write("\n".join(["kind,face_a,face_b,image_a,image_b", *rows])))
    assert [text.split(". ")[0] for text in problems] == [
        "line 2: kind 'Must' is not known",
        "line 3: face_a '1.0' is not an id",
        "line 3: face_b 'x' is not an id",
        "line 4 names face_a",
        "line 5 names nothing",
        "line 6 names face_a and face_b and image_a and image_b",
        "line 7 pairs 7 with itself",
        f"line 8: face_b '{2**63}' is not an id",
    ]
    pq.write_table(pa.table({"kind": ["must"] * 2, "face_a": [1.0, 2.0], "face_b": [True, False]}), tmp_path / "p")
    assert [text.split(". ")[0] for text in faults(str(tmp_path / "p"))][:2] == [
        "row 1: face_a '1.0' is not an id",
        "row 1: face_b 'True' is not an id",
    ]


def test_few_of_many_faults_are_shown(write: Write) -> None:
    problems = faults(write("kind,face_a,face_b\n" + "may,1,2\n" * 33))
    assert len(problems) == 21
    assert problems[-1] == "cluster.constraints: and 13 more. Correct these alike."


def test_an_image_means_its_largest_face(faces: ListedFaces, write: Write) -> None:
    rows = ["must,3,1,,", "must,,,10,30", "must,6,7,,", "cannot,,,50,30", "cannot,-5,3,,", "must,4,3,,"]
    text = "\n".join(["kind,face_a,face_b,image_a,image_b", *rows])
    resolved, warned = resolve(read_constraints(write(text)), faces)
    assert warned == []
    assert resolved.must.tolist() == [[1, 3], [1, 4], [3, 4], [6, 7]]
    assert resolved.in_folder.tolist() == [True, False, False, False]
    assert resolved.cannot.tolist() == [[-5, 3], [4, 7]]
    assert resolved.within_folders().must.tolist() == [[1, 3]]


def test_ids_of_no_face_are_counted_and_left_out(faces: ListedFaces, write: Write) -> None:
    text = "kind,face_a,face_b,image_a,image_b\nmust,3,999,,\ncannot,999,1,,\nmust,,,10,999\nmust,10,20,,\nmust,1,3,,\n"
    path = write(text)
    resolved, warned = resolve(read_constraints(path), faces)
    assert warned == [
        f"cluster.constraints: 4 ids in {path} are of no face of this run: the rows that name them are left out"
    ]
    assert resolved.must.tolist() == [[1, 3]]
    assert resolved.cannot.tolist() == []


def test_the_shortest_contradiction_is_printed(faces: ListedFaces, write: Write) -> None:
    """Of a chain of four and one of two; in any order of the rows."""
    rows = ["must,2,1", "must,3,2", "must,3,4", "must,4,6", "cannot,6,1", "cannot,3,1", "must,7,8"]
    problems = [
        contradiction(read_constraints(write("\n".join(["kind,face_a,face_b", *rows[::step]]))), faces)
        for step in (1, -1)
    ]
    for text in problems:
        assert "contradicts itself: must 1 and 2, must 2 and 3, cannot 1 and 3 (" in text
    assert "(line 2, line 3, line 7). Remove or change one of these rows." in problems[0]


def test_one_pair_that_must_and_cannot(faces: ListedFaces, write: Write) -> None:
    text = "kind,face_a,face_b,image_a,image_b\nmust,,,20,10\ncannot,1,3,,\n"
    assert "must 1 and 3 (images 10 and 20), cannot 1 and 3 (line 2, line 3)" in contradiction(
        read_constraints(write(text)), faces
    )


def test_two_faces_of_one_photo_must_not_be_one_person(faces: ListedFaces, write: Write) -> None:
    file = read_constraints(write("kind,face_a,face_b\nmust,4,3\nmust,3,-5\ncannot,6,7\n"))
    assert resolve(file, faces)[0].must.tolist() == [[-5, 3], [3, 4]]
    text = contradiction(file, faces, photos_differ=True)
    assert "must -5 and 3, must 3 and 4, but -5 and 4 are two faces of photo 30 (line 3, line 2)" in text
    assert "or set cluster.same_photo_differs = false." in text
