"""Images that no run has seen: each is read once, whatever happens; the tables are those of hashing first."""

from __future__ import annotations

import io
import json
import re
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import recording
import tiny_model
from PIL import Image
from pyspark.sql import SparkSession

from facesieve.cli import main
from facesieve.core import sections, tables
from facesieve.core.profiles import Crop
from facesieve.core.sections import Images
from facesieve.embed.listing import listing
from facesieve.embed.step import embed
from facesieve.images.files import FileTree
from facesieve.images.sources import source
from facesieve.lake.catalog import Lake

ROOT = Path(__file__).resolve().parents[2]
SIDE = 40
PHOTOGRAPHS = tuple(f"{person}/{number}.png" for person in ("ann", "bob") for number in range(4))
REJECTED = {"ann/text.jpg": ("wrong_type", b"no image"), "bob/empty.jpg": ("empty", b"")}
BROKEN = "bob/gone.png"
OUTPUTS = (tables.LISTING, tables.EMBEDDINGS, tables.REJECTS)


def photograph(seed: int) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (SIDE, SIDE, 3), np.uint8)).save(stream, "PNG")
    return stream.getvalue()


def sound(reads: Counter[str]) -> Counter[str]:
    """Reads without those of the image that nobody can read, which is tried more than once."""
    return Counter({uri: count for uri, count in reads.items() if uri != BROKEN})


class Place:
    """A lake of its own, a root with photographs, and notes of what is read of them."""

    def __init__(self, spark: SparkSession, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.spark, self.root, self.form = spark, folder / "images", "files"
        self.settings = sections.Lake(namespace=f"ns_{uuid.uuid4().hex[:8]}")
        self.lake = Lake(spark, self.settings)
        self.model = tiny_model.profile_file(tiny_model.written(folder, Crop(SIDE, SIDE / 2, SIDE / 2)), folder)
        self.recorder = recording.Recorder(folder / "reads")
        spark.sparkContext.addPyFile(recording.__file__)
        fetch = FileTree.fetch
        monkeypatch.setattr(FileTree, "fetch", lambda tree: self.recorder.around(fetch(tree)))
        contents = {uri: photograph(seed) for seed, uri in enumerate(PHOTOGRAPHS)}
        contents |= {uri: content for uri, (_, content) in REJECTED.items()}
        for uri, content in contents.items():
            (self.root / uri).parent.mkdir(parents=True, exist_ok=True)
            (self.root / uri).write_bytes(content)
        (self.root / BROKEN).symlink_to("nowhere")

    def embed(self, *sets: str) -> Counter[str]:
        """Run the step; return how often each image was read."""
        assert self.exit_code(*sets) == 0
        return self.recorder.reads()

    def exit_code(self, *sets: str) -> int:
        values = {
            "lake.root": self.spark.conf.get("spark.sql.catalog.lake.warehouse"),
            "lake.namespace": self.settings.namespace,
            "images.root": self.root,
            "images.format": self.form,
            "embed.model": self.model,
            "embed.detector": "aligned",
            "embed.chunk_images": 4,
        }
        pairs = [*(f"{name}={value}" for name, value in values.items()), *sets]
        arguments = [
            "--config",
            str(ROOT / "conf/pipeline.toml"),
            *(part for pair in pairs for part in ("--set", pair)),
        ]
        return main.main((embed,), "", arguments)

    def rows(self, table: tables.Table, *columns: str) -> list[tuple[str, ...]]:
        frame = self.lake.read(table, self.lake.snapshot(table)).select(*columns or table.columns.names)
        return sorted(tuple(map(str, row)) for row in frame.collect())

    def values(self, table: tables.Table, column: str) -> dict[str, str]:
        """Return a column by uri."""
        return {row[0]: row[1] for row in self.rows(table, "uri", column)}

    def stages(self) -> dict[str, dict[str, object]]:
        """Return what the newest run recorded of its stages."""
        rows = self.lake.read(tables.RUNS, self.lake.snapshot(tables.RUNS)).orderBy("started").collect()
        return dict(json.loads(rows[-1].record)["stages"])

    def check(self) -> None:
        """Compare the listing with that of hashing alone, and the other tables with the listing."""
        settings = Images(root=str(self.root), format=self.form)
        origin = source(settings)
        hashed = listing(origin.images(self.spark), None, settings, origin.fetch())
        columns = tables.LISTING.columns.names
        assert self.rows(tables.LISTING) == sorted(tuple(map(str, row)) for row in hashed.select(*columns).collect())
        self.recorder.reads()
        listed = {row[0]: row[1:] for row in self.rows(tables.LISTING, "uri", "image_id", "sha256")}
        embedded, rejected = self.rows(tables.EMBEDDINGS), self.rows(tables.REJECTS, "uri", "image_id", "sha256")
        assert len(embedded) == len({row[0] for row in embedded}), "no face twice"
        faces = self.rows(tables.EMBEDDINGS, "uri", "image_id", "sha256")
        assert {uri: tuple(rest) for uri, *rest in faces + rejected} == listed
        assert len(faces + rejected) == len(listed)


@pytest.fixture(scope="module")
def place(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with pytest.MonkeyPatch.context() as patch:
        yield Place(spark, tmp_path_factory.mktemp("place"), patch)


@pytest.fixture(scope="module")
def reads(place: Place) -> Counter[str]:
    """How often the first run read each image."""
    return place.embed()


def test_a_first_run_reads_every_file_once(place: Place, reads: Counter[str]) -> None:
    assert sound(reads) == Counter([*PHOTOGRAPHS, *REJECTED])
    place.check()
    reasons = {uri: reason for uri, (reason, _) in REJECTED.items()}
    assert place.values(tables.REJECTS, "reason") == reasons | {BROKEN: "undecodable"}
    assert place.values(tables.REJECTS, "detail")[BROKEN] == "cannot be read (FileNotFoundError)"
    stages = place.stages()
    assert stages["listing"] | {"rows_in": 11, "rows_out": 11, "new": 11, "gone": 0, "changed": 0} == stages["listing"]
    assert stages["embed"] | {"rows_in": 11, "rows_out": 8, "reused": False} == stages["embed"]
    assert stages["embed"]["reasons"] == {"wrong_type": 1, "empty": 1, "undecodable": 1}


@pytest.mark.usefixtures("reads")
def test_tables_that_were_moved_back_are_reused_by_key(place: Place) -> None:
    after = {table.name: place.lake.snapshot(table) for table in OUTPUTS}
    for table in OUTPUTS:
        place.lake.make_current(table, place.lake.versions(table)[0], after[table.name])
    reads = place.embed()
    assert sound(reads) == Counter([*PHOTOGRAPHS, *REJECTED]), "for the digests, of which the key is made"
    assert place.stages()["embed"]["reused"]
    assert {table.name: place.lake.snapshot(table) for table in OUTPUTS} == after


@pytest.mark.usefixtures("reads")
def test_a_later_run_reads_what_is_new_once_and_what_has_changed_twice(place: Place) -> None:
    """Once for the digest, and once more to be embedded."""
    (place.root / BROKEN).unlink()
    (place.root / BROKEN).write_bytes(photograph(8))
    (place.root / "bob/9.png").write_bytes(photograph(9))
    (place.root / "ann/0.png").write_bytes(photograph(10))
    assert place.embed() == Counter({"bob/9.png": 1, "ann/0.png": 2, BROKEN: 2})
    listing = place.stages()["listing"]
    assert listing | {"new": 1, "gone": 0, "changed": 2} == listing
    assert len(place.rows(tables.EMBEDDINGS)) == 11


@pytest.mark.long
def test_a_run_that_died_goes_on_and_embeds_nothing_twice(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, fast_forward, commits = Place(spark, tmp_path, monkeypatch), Lake._fast_forward, Counter[str]()

    def dying(lake: Lake, table: tables.Table, branch: str) -> None:
        commits[table.name] += 1
        if table.name == "rejects" and commits[table.name] == 2:
            raise KeyboardInterrupt
        fast_forward(lake, table, branch)

    with monkeypatch.context() as patched:
        patched.setattr(Lake, "_fast_forward", dying)
        assert place.exit_code() == 130
    place.recorder.reads()
    embedded = place.rows(tables.EMBEDDINGS, "face_id", "vector")
    assert 0 < len(embedded) < len(PHOTOGRAPHS)
    assert sound(place.embed()) == Counter([*PHOTOGRAPHS, *REJECTED])
    place.check()
    assert set(embedded) <= set(place.rows(tables.EMBEDDINGS, "face_id", "vector"))


@pytest.mark.usefixtures("reads")
def test_a_set_of_which_all_fail_is_refused(place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A crop that leaves the images: each is a reject, and the run says which key to change."""
    too_large = Crop(SIDE + 3, SIDE / 2, SIDE / 2)
    model = tiny_model.profile_file(tiny_model.written(tmp_path, too_large), tmp_path)
    assert place.exit_code(f"embed.model={model}") == 2
    message = capsys.readouterr().err
    for key, reason in (("model", "crop_outside"), ("formats", "wrong_type")):
        assert re.search(rf"error: embed\.{key}: \d+ images \(\d+% of all\) fail with {reason}\. ", message)


def test_a_parquet_set_is_embedded_alike(spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place(spark, tmp_path, monkeypatch)
    uris = [*PHOTOGRAPHS, *REJECTED]
    contents = [(place.root / uri).read_bytes() for uri in uris]
    place.root, place.form = tmp_path / "set", "parquet"
    place.root.mkdir()
    columns = {"uri": [*uris, "null.png"], "bytes": pa.array([*contents, None], pa.binary())}
    pq.write_table(pa.table(columns), place.root / "1.parquet")
    assert place.embed() == Counter()
    place.check()
    vectors = place.values(tables.EMBEDDINGS, "vector")
    assert set(vectors) == set(PHOTOGRAPHS)
    assert len(set(vectors.values())) == len(PHOTOGRAPHS)
    assert place.values(tables.REJECTS, "reason")["null.png"] == "empty"
