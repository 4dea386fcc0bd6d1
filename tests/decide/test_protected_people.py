"""Whom `decide.protected` may name: a lake, a folder of images, a list, exported embeddings; and what it may not."""

from __future__ import annotations

import shutil
import uuid
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pack_writers import verification
from pyspark.sql import SparkSession
from world import DIMENSION, MODEL, PROFILE

from facesieve.core import profiles, tables
from facesieve.core.config import Config
from facesieve.core.errors import ConfigError
from facesieve.core.sections import Columns, Decide, Embed, Images
from facesieve.core.sections import Lake as Place
from facesieve.decide.overlap import LISTED_FACES
from facesieve.decide.protected_people import Protection, described, faces
from facesieve.faces.blocks import ListedFaces
from facesieve.lake.catalog import Lake, Stamp
from facesieve.lake.ledger import Ledger
from facesieve.lake.run import Run

MODELS = str(Path(__file__).resolve().parents[2] / "conf" / "models")
LISTED = [
    # face_id, image_id, uri, identity
    (1, 10, "Ann/1.jpg", "Ann"),
    (2, 10, "Ann/1.jpg", "Ann"),
    (3, 20, "Ann/2.jpg", "Ann"),
    (4, 30, "Bob/3.jpg", "Bob"),
    (5, 40, "5.jpg", None),
]


def vector(number: int, dimension: int = DIMENSION) -> list[float]:
    return [float(number), *[1.0] * (dimension - 1)]


@pytest.fixture(scope="module")
def listed(spark: SparkSession) -> ListedFaces:
    rows = [(*row, vector(row[0])) for row in LISTED]
    return ListedFaces(spark.createDataFrame(rows, LISTED_FACES).persist())


class Asking:
    """Asks what a path protects, in a run with a model of 32 numbers."""

    def __init__(self, spark: SparkSession, path: object, **parts: Any) -> None:
        place = parts.pop("lake", Place(root=str(spark.conf.get("spark.sql.catalog.lake.warehouse")) + "/own"))
        config = Config(lake=place, decide=Decide(protected=str(path)), **parts)
        ledger: Any = SimpleNamespace(warnings=[])
        self.run = Run("run-0", config, PROFILE, MODEL, False, spark, Lake(spark, config.lake), ledger)

    def protection(self) -> Protection:
        protection = described(self.run)
        assert protection is not None
        return protection

    def digest(self) -> str:
        return self.protection().digest

    def faces(self, listed: ListedFaces) -> list[tuple[int | None, float]]:
        """The id of each protected face, and the first number of its vector."""
        rows = faces(self.protection(), self.run, listed)
        if rows is None:
            return []
        assert rows.dtypes == [("face_id", "bigint"), ("vector", "array<float>")]
        return sorted((row.face_id or 0, row.vector[0]) for row in rows.collect())

    def fault(self, listed: ListedFaces) -> str:
        with pytest.raises(ConfigError) as caught:
            self.faces(listed)
        assert {fault.key for fault in caught.value.faults} == {"decide.protected"}
        return "\n".join(fault.problem for fault in caught.value.faults)


def test_nobody_is_protected(spark: SparkSession) -> None:
    assert described(Asking(spark, "").run) is None


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("uri,image_id,identity\nAnn/2.jpg,,\n,30,\n", [3, 4]),
        ("identity\nAnn\nAnn\n", [1, 2, 3]),
        ("image_id,identity\n10,\n,Ann\n", [1, 2, 3]),
        ("uri,why\n5.jpg,test\n", [5]),
        ("uri\n./5.jpg\n", [5]),
    ],
)
def test_a_list_names_people_of_this_run(
    spark: SparkSession, listed: ListedFaces, tmp_path: Path, text: str, named: list[int]
) -> None:
    (tmp_path / "list.csv").write_text(text)
    asking = Asking(spark, tmp_path / "list.csv")
    assert asking.faces(listed) == [(face, float(face)) for face in named]
    assert asking.run.ledger.warnings == []
    (tmp_path / "again.csv").write_text(text.splitlines()[0] + "\n" + "\n".join(text.splitlines()[:0:-1]) + "\n")
    assert Asking(spark, tmp_path / "again.csv").digest() == asking.digest()


def test_any_spelling_of_a_united_name_is_protected(spark: SparkSession, listed: ListedFaces, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("identity\nann \n")
    assert Asking(spark, tmp_path / "list.csv").faces(listed) == []
    asking = Asking(spark, tmp_path / "list.csv", images=Images(same_names="unite"))
    assert [face for face, _ in asking.faces(listed)] == [1, 2, 3]
    assert asking.run.ledger.warnings == []


def test_names_that_are_of_no_face_are_counted(spark: SparkSession, listed: ListedFaces, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("uri,image_id,identity\nAnn/2.jpg,,\n,99,\n,,Eve\ngone.jpg,,\n")
    asking = Asking(spark, tmp_path / "list.csv")
    assert asking.faces(listed) == [(3, 3.0)]
    (said,) = asking.run.ledger.warnings
    assert "3 names in" in said
    (tmp_path / "list.csv").write_text("identity\nEve\n")
    assert Asking(spark, tmp_path / "list.csv").faces(listed) == []


def test_a_list_in_parquet_and_its_faults(spark: SparkSession, listed: ListedFaces, tmp_path: Path) -> None:
    pq.write_table(pa.table({"image_id": [30, 40]}), tmp_path / "list.parquet")
    assert Asking(spark, tmp_path / "list.parquet").faces(listed) == [(4, 4.0), (5, 5.0)]
    (tmp_path / "list.csv").write_text("uri,image_id\na,1\n,\n,x\n")
    said = Asking(spark, tmp_path / "list.csv").fault(listed).split("\n")
    assert [text.split("list.csv ")[1] for text in said] == [
        "line 2 names uri and image_id",
        "line 4: image_id 'x' is not an id",
    ]
    (tmp_path / "list.csv").write_text("name\nAnn\n")
    assert "has no column uri, image_id or identity" in Asking(spark, tmp_path / "list.csv").fault(listed)


def exported(path: Path, models: list[str], dimension: int = DIMENSION, kind: pa.DataType | None = None) -> Path:
    vectors = pa.array([vector(number, dimension) for number in range(len(models))], pa.list_(kind or pa.float32()))
    pq.write_table(pa.table({"vector": vectors, "model": models}), path)
    return path


def test_embeddings_that_another_program_exported(spark: SparkSession, listed: ListedFaces, tmp_path: Path) -> None:
    for kind in (pa.float32(), pa.float64()):
        asking = Asking(spark, exported(tmp_path / f"{kind}.parquet", [MODEL] * 3, kind=kind))
        assert asking.faces(listed) == [(0, 0.0), (0, 1.0), (0, 2.0)]
    (tmp_path / "set[1]").mkdir()
    shutil.copy(tmp_path / "float.parquet", tmp_path / "set[1]" / "part.parquet")
    assert Asking(spark, tmp_path / "set[1]").digest() == Asking(spark, tmp_path / "float.parquet").digest()
    assert Asking(spark, tmp_path / "set[1]").faces(listed) == [(0, 0.0), (0, 1.0), (0, 2.0)]


def test_embeddings_of_another_model_or_length(spark: SparkSession, listed: ListedFaces, tmp_path: Path) -> None:
    said = Asking(spark, exported(tmp_path / "a.parquet", ["x@1", "y@2"])).fault(listed)
    assert f"holds faces of x@1, y@2, and none of this run's model {MODEL}" in said
    said = Asking(spark, exported(tmp_path / "b.parquet", [MODEL] * 2, 31)).fault(listed)
    assert "2 of 2 vectors in" in said
    said = Asking(spark, exported(tmp_path / "c.parquet", [])).fault(listed)
    assert "holds no face" in said
    pq.write_table(pa.table({"vector": ["x"], "model": [MODEL]}), tmp_path / "d.parquet")
    assert "column vector is string" in Asking(spark, tmp_path / "d.parquet").fault(listed)
    unusable = [[0.0] * DIMENSION, [float("nan"), *vector(1)[1:]], None, vector(1)]
    rows = pa.table({"vector": pa.array(unusable, pa.list_(pa.float32())), "model": [MODEL] * 4})
    pq.write_table(rows, tmp_path / "e.parquet")
    assert "3 of 4 vectors in" in Asking(spark, tmp_path / "e.parquet").fault(listed)


class Other:
    """Another lake: a namespace of the test catalog, whose folder is given as its root."""

    def __init__(self, spark: SparkSession) -> None:
        self.spark, self.space = spark, f"ns_{uuid.uuid4().hex[:8]}"
        self.lake = Lake(spark, Place(namespace=self.space))
        self.root = f"{spark.conf.get('spark.sql.catalog.lake.warehouse')}/{self.space}"

    def put(self, table: tables.Table, rows: list[dict[str, Any]]) -> int:
        columns = table.columns.names
        frame = self.spark.createDataFrame([tuple(row.get(name) for name in columns) for row in rows], table.columns)
        return self.lake.overwrite(table, frame, Stamp("made", "key", {}), self.lake.open(table)).id

    def embedded(self, numbers: list[int], model: str = MODEL) -> int:
        made = [{"face_id": n, "image_id": n, "model": model, "vector": vector(n), "face_rank": 0} for n in numbers]
        return self.put(tables.EMBEDDINGS, made)

    def listed(self, numbers: list[int]) -> int:
        return self.put(tables.LISTING, [{"image_id": n, "uri": str(n)} for n in numbers])

    def done(self, run: str, **after: int) -> None:
        ledger = Ledger(self.spark, self.lake, run, Config(), MODEL)
        ledger.open({})
        ledger.close("done", after)


def test_another_lake_as_it_stands_or_as_its_last_run_left_it(
    spark: SparkSession, listed: ListedFaces, tmp_path: Path
) -> None:
    other = Other(spark)
    first = other.embedded([1, 2, 3])
    assert Asking(spark, other.root).faces(listed) == [(0, 1.0), (0, 2.0), (0, 3.0)]
    before = Asking(spark, other.root).digest()
    listing = other.listed([2, 3, 4])
    assert Asking(spark, other.root).digest() != before
    assert Asking(spark, other.root).faces(listed) == [(0, 2.0), (0, 3.0)]
    other.done("a", embeddings=first, listing=listing)
    finished = Asking(spark, other.root).digest()
    other.embedded([3, 4])
    assert Asking(spark, other.root).digest() == finished
    assert Asking(spark, other.root).faces(listed) == [(0, 2.0), (0, 3.0)]
    # By its root, with the namespace of this run or the default one.
    (tmp_path / "faces").symlink_to(other.root)
    assert Asking(spark, tmp_path).faces(listed) == [(0, 2.0), (0, 3.0)]


def test_a_lake_of_another_model_or_without_faces(spark: SparkSession, listed: ListedFaces) -> None:
    other = Other(spark)
    other.embedded([1], "other@2")
    assert f"holds faces of other@2, and none of this run's model {MODEL}" in Asking(spark, other.root).fault(listed)
    other.embedded([])
    assert "holds no face" in Asking(spark, other.root).fault(listed)


def test_paths_that_name_nothing_of_use(spark: SparkSession, listed: ListedFaces, tmp_path: Path) -> None:
    assert "does not exist" in Asking(spark, tmp_path / "none").fault(listed)
    (tmp_path / "empty").mkdir()
    assert "holds no image" in Asking(spark, tmp_path / "empty").fault(listed)
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 and no more")
    assert "cannot be read" in Asking(spark, tmp_path / "broken.parquet").fault(listed)
    (tmp_path / "list.csv").write_bytes(b"\xff\xfe\x00")
    assert "cannot be read" in Asking(spark, tmp_path / "list.csv").fault(listed)
    images = Images(root=str(tmp_path))
    assert "images.root of this run" in Asking(spark, tmp_path, images=images).fault(listed)
    assert "lake.root of this run" in Asking(spark, tmp_path, lake=Place(root=f"{tmp_path}/")).fault(listed)


def test_its_own_lake_is_refused_by_whatever_path(spark: SparkSession, listed: ListedFaces, tmp_path: Path) -> None:
    lake, link = tmp_path / "lake", tmp_path / "link"
    (lake / "faces").mkdir(parents=True)
    link.symlink_to(lake)
    for path in (lake, lake / "faces", link, tmp_path):
        assert "all of it would be kept out" in Asking(spark, path, lake=Place(root=str(lake))).fault(listed)


def test_images_without_a_usable_face(
    spark: SparkSession, listed: ListedFaces, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is loaded for images that cannot be decoded."""
    monkeypatch.setattr("facesieve.models.check", lambda profile: None)
    (tmp_path / "a.jpg").write_bytes(b"no image")
    (tmp_path / "b.jpg").write_bytes(b"")
    assert "holds no usable face (2 images)" in Asking(spark, tmp_path).fault(listed)


@pytest.mark.parametrize("columns", [Columns(), Columns("image.path", "image.bytes")])
@pytest.mark.parametrize("place", ["a.parquet", "train/a.parquet"])
def test_parquet_files_of_images_are_told_in_all_their_forms(
    spark: SparkSession,
    listed: ListedFaces,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    columns: Columns,
    place: str,
) -> None:
    monkeypatch.setattr("facesieve.models.check", lambda profile: None)
    image = pa.array([{"bytes": b"no image", "path": "a"}, {"bytes": b"", "path": "b"}])
    table = {"image": image} if "." in columns.uri else {"URI": ["a", "b"], "Bytes": pa.array([b"no image", b""])}
    (tmp_path / place).parent.mkdir(exist_ok=True)
    pq.write_table(pa.table(table), tmp_path / place)
    (tmp_path / "README.md").write_text("x")
    asking = Asking(spark, tmp_path, images=Images(columns=columns))
    assert "holds no usable face (2 images)" in asking.fault(listed)


def test_verification_sets_are_told_by_their_suffix(
    spark: SparkSession, listed: ListedFaces, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("facesieve.models.check", lambda profile: None)
    whole = verification([b"no image", b"nor this", b"no image", b"no image"])
    (tmp_path / "lfw.bin").write_bytes(whole)
    assert "holds no usable face (2 images)" in Asking(spark, tmp_path / "lfw.bin").fault(listed)
    (tmp_path / "agedb_30.bin").write_bytes(verification([b"no third", b"no image"]))
    assert "holds no usable face (3 images)" in Asking(spark, tmp_path).fault(listed)
    (tmp_path / "agedb_30.bin").write_bytes(whole[:-20])
    problem = "agedb_30.bin is no verification set: it is no list of images and list of booleans"
    assert problem in Asking(spark, tmp_path).fault(listed)


def test_a_verification_set_is_embedded_like_the_run_itself(
    spark: SparkSession, listed: ListedFaces, data: Path, tmp_path: Path
) -> None:
    stored = np.load(data / "lfw" / "embeddings.npz")
    pictures = [(data / "lfw" / "images" / str(stored["paths"][number])).read_bytes() for number in (0, 500)]
    (tmp_path / "lfw.bin").write_bytes(verification([*pictures, *pictures[::-1], pictures[0], b"no image"]))
    embed = Embed(model="mobilefacenet", detector="aligned")
    asking = Asking(spark, tmp_path / "lfw.bin", embed=embed)
    profile = profiles.load("mobilefacenet", MODELS)
    asking.run = replace(asking.run, profile=profile, model=profiles.model_id(profile, embed))
    rows = faces(asking.protection(), asking.run, listed)
    assert rows is not None
    vectors = np.array([row.vector for row in rows.collect()])
    assert len(vectors) == 2
    assert np.abs(np.sort(vectors @ stored["embeddings"][[0, 500]].T, axis=1)[:, 1]).min() > 0.99


def test_a_folder_of_images_is_embedded_like_the_run_itself(
    spark: SparkSession, listed: ListedFaces, data: Path, tmp_path: Path
) -> None:
    profile = profiles.load("mobilefacenet", MODELS)
    stored = np.load(data / "lfw" / "embeddings.npz")
    for number in (0, 500):
        shutil.copy(data / "lfw" / "images" / str(stored["paths"][number]), tmp_path / f"{number}.jpg")
    (tmp_path / "bad.jpg").write_bytes(b"no image")
    embed = Embed(model="mobilefacenet", detector="aligned")
    asking = Asking(spark, tmp_path, embed=embed)
    asking.run = replace(asking.run, profile=profile, model=profiles.model_id(profile, embed))
    protection = asking.protection()
    rows = faces(protection, asking.run, listed)
    assert rows is not None
    vectors = np.array([row.vector for row in rows.collect()])
    assert np.abs(np.sort(vectors @ stored["embeddings"][[0, 500]].T, axis=1)[:, 1]).min() > 0.99
    (said,) = asking.run.ledger.warnings
    assert "1 images of" in said
    assert asking.digest() == protection.digest
    shutil.copy(tmp_path / "0.jpg", tmp_path / "copy.jpg")
    assert asking.digest() != protection.digest
