"""The whole job on S3 against the same on local paths, and what becomes of a run when the store fails."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from faulty_store import KEYS, Fault, FaultyStore, as_json, client
from store_steps import MARK
from three_people import PEOPLE, three_people

from facesieve.images import patience

pytestmark = pytest.mark.spark

ROOT = Path(__file__).resolve().parents[2]
WEIGHTS = "facenet_keras.h5"
EACH = 7
SETTINGS = (
    *("decide.min_faces=3", "link.threshold_global=0.5", "embed.chunk_images=12", "publish.max_gone=1"),
    *("publish.apply=true", 'publish.outputs=["parquet","folders"]'),
)
PASSING = (
    Fault("GET /faces/data/madonna/1.jpg", times=5),
    Fault("HEAD /faces/data/madonna/2.jpg", status=500, code="InternalError", times=4),
    Fault("GET /faces/data/madonna/3.jpg", "reset", times=2),
    Fault("GET /faces/data/madonna/4.jpg", "cut", times=2),
    Fault("GET /faces/data/madonna/5.jpg", "wait", seconds=2, times=1),
    Fault("GET /faces.*list-type=2.*prefix=data%2Fmindy", times=3),
    Fault("(PUT|POST) /exports/", times=3),
    Fault("GET /models/", times=2),
)
LASTING = (
    Fault("GET /faces/data/new/denied.jpg", status=403, code="AccessDenied"),
    Fault("(GET|HEAD) /faces/data/new/gone.jpg", status=404, code="NoSuchKey"),
    Fault("GET /faces/data/new/sick.jpg", status=503, code="ServiceUnavailable"),
    Fault("GET /faces.*list-type=2.*prefix=data%2Fsecret", status=403, code="AccessDenied"),
)
DOWN = Fault("(GET|HEAD) /faces", after="(GET|HEAD) /faces/late/ann/")
EXPIRED = Fault("(GET|HEAD) /faces", status=400, code="ExpiredToken", after="(GET|HEAD) /faces/keys/ann/")
"""Each with images of its own: tasks of a run that has failed may still ask for its images when the next one begins."""
JDBC = {
    "spark.sql.catalog.prod": "org.apache.iceberg.spark.SparkCatalog",
    "spark.sql.catalog.prod.type": "jdbc",
    "spark.sql.catalog.prod.warehouse": "s3a://tables/warehouse",
    "spark.sql.catalog.prod.cache-enabled": "false",
    "spark.hadoop.fs.s3a.path.style.access": "true",
    "spark.hadoop.fs.s3a.connection.ssl.enabled": "false",
}


@dataclass(frozen=True)
class Step:
    """A command with its faults."""

    name: str
    command: str
    arguments: list[str]
    faults: list[dict[str, Any]] = field(default_factory=list)
    put: list[tuple[str, str, str]] = field(default_factory=list)
    dump: str = ""


@dataclass(frozen=True)
class Done:
    """What the steps left: exit codes and hits of faults, standard error by step, rows by step and table."""

    folder: Path
    codes: dict[str, dict[str, float]]
    errors: dict[str, str]
    requests: list[str]

    def sentence(self, step: str) -> str:
        """Return the one line that says why a step failed."""
        lines = [line for line in self.errors[step].splitlines() if re.search(r"(^|ERROR )(failed|error): ", line)]
        assert len(lines) == 1
        return lines[0]

    def rows(self, step: str, table: str, *columns: str) -> dict[Any, tuple[Any, ...]]:
        """Return rows by their first column."""
        rows = map(json.loads, json.loads((self.folder / f"{step}.{table}.json").read_text(encoding="utf-8")))
        return {row.get(columns[0]): tuple(row.get(column) for column in columns[1:]) for row in rows}


def sieve(*pairs: str) -> list[str]:
    arguments = ["--config", str(ROOT / "conf" / "pipeline.toml")]
    for pair in pairs:
        arguments += ["--set", pair]
    return arguments


def profile(folder: Path, file: str) -> Path:
    """Write the profile facenet with another place of its file."""
    text = (ROOT / "conf" / "models" / "facenet.toml").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("file =")]
    path = folder / "facenet.toml"
    folder.mkdir()
    path.write_text("\n".join([f'file = "{file}"', *lines]) + "\n", encoding="utf-8")
    return path


def steps(tmp: Path, images: Path) -> list[Step]:
    """Plan: local paths; the same on S3 with faults that pass; new images with faults that last; outages."""
    sent, fetched = profile(tmp / "sent", WEIGHTS), profile(tmp / "fetched", f"s3a://models/facenet/{WEIGHTS}")
    here = (f"lake.root={tmp}/lake", f"images.root={images}", f"publish.export_root={tmp}/exports")
    lake = ("lake.catalog=prod", "lake.scratch=s3a://tables/scratch", f"embed.model={fetched}")
    there = (*lake, "images.root=s3://faces/data", "publish.export_root=s3://exports/faces")
    late, keys = (
        sieve(*lake, f"lake.namespace={name}", f"images.root=s3a://faces/{name}") for name in ("late", "keys")
    )
    new = [("faces", f"data/{name}.jpg") for name in ("new/denied", "new/gone", "new/sick", "new/good", "secret/1")]
    extra = sorted((ROOT / ".cache" / "demo" / "val" / "elton_john").glob("*.jpg"))
    put = [(*place, str(file)) for place, file in zip(new, extra, strict=False)]
    return [
        Step("local", "sieve", [*sieve(*here, f"embed.model={sent}", *SETTINGS), "--run", "first"], dump="lake.faces"),
        Step("s3", "sieve", [*sieve(*there, *SETTINGS), "--run", "first"], as_json(*PASSING), dump="prod.faces"),
        Step("more", "sieve", [*sieve(*there, *SETTINGS), "--run", "more"], as_json(*LASTING), put, "prod.faces"),
        Step("down", "embed", late, as_json(DOWN)),
        Step("expired", "embed", keys, as_json(EXPIRED)),
        Step("again", "embed", keys),
        Step("unsafe", "embed", sieve("lake.root=s3a://tables/lake", "images.root=s3://faces/data")),
    ]


def submit(tmp: Path, planned: list[Step], store: FaultyStore, jars: str, weights: Path) -> Done:
    """Run the plan by spark-submit, in a process of its own."""
    plan, out = tmp / "plan.json", tmp / "out"
    out.mkdir()
    plan.write_text(json.dumps({"store": store.url, "out": str(out), "steps": [vars(step) for step in planned]}))
    settings = {
        **JDBC,
        "spark.sql.catalog.prod.uri": f"jdbc:sqlite:{tmp}/catalog.db",
        "spark.hadoop.fs.s3a.endpoint": store.url,
        "spark.local.dir": str(tmp / "local"),
    }
    command = [str(Path(sys.executable).parent / "spark-submit"), "--master", "local[2]", "--jars", jars]
    command += ["--files", str(weights), "--driver-class-path", next(jar for jar in jars.split(",") if "sqlite" in jar)]
    for name, value in settings.items():
        command += ["--conf", f"{name}={value}"]
    (tmp / "tmp").mkdir()
    environment = os.environ | KEYS | {"AWS_ENDPOINT_URL": store.url, "TMPDIR": str(tmp / "tmp"), patience.SECONDS: "4"}
    environment["PYTHONPATH"] = os.pathsep.join([str(ROOT / "lib"), str(ROOT / "tests" / "fixtures")])
    environment.pop("PYSPARK_GATEWAY_PORT", None)
    script = str(ROOT / "tests" / "fixtures" / "store_steps.py")
    command += [script, str(plan)]
    done = subprocess.run(command, cwd=tmp, env=environment, capture_output=True, text=True, timeout=1800, check=False)
    (tmp / "stderr.txt").write_text(done.stderr, encoding="utf-8")
    assert done.returncode == 0, done.stderr[-5000:]
    parts = done.stderr.split(MARK)[1:]
    errors = {part.partition("\n")[0]: part.partition("\n")[2] for part in parts}
    return Done(out, json.loads((out / "codes.json").read_text()), errors, list(store.requests))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="module")
def done(server: FaultyStore, place: Path, jars: str, facenet_weights: Path, photographs: Path) -> Iterator[Done]:
    """All steps, in one Spark session."""
    s3 = client(server.url)
    for bucket in ("faces", "exports", "tables", "models"):
        s3.create_bucket(Bucket=bucket)
    s3.upload_file(str(facenet_weights), "models", f"facenet/{WEIGHTS}")
    for file in three_people(photographs, place / "images", EACH):
        s3.upload_file(str(file), "faces", f"data/{file.parent.name}/{file.name}")
    for number, file in enumerate(sorted((photographs / "val" / "madonna").glob("*.jpg"))[:3]):
        for root in ("late", "keys"):
            s3.upload_file(str(file), "faces", f"{root}/ann/{number}.jpg")
    server.requests.clear()
    yield submit(place, steps(place, place / "images"), server, jars, facenet_weights)
    for bucket in ("faces", "exports", "tables", "models"):
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            for item in page.get("Contents", ()):
                s3.delete_object(Bucket=bucket, Key=item["Key"])


def test_the_steps_end_as_they_should(done: Done) -> None:
    codes = {name: int(step["code"]) for name, step in done.codes.items()}
    assert codes == {"local": 0, "s3": 0, "more": 0, "down": 1, "expired": 1, "again": 0, "unsafe": 2}, done.errors


DECIDED = (
    *("uri", "image_id", "identity", "verdict", "reasons", "face_id", "cluster_scope", "cluster_id", "moved_to"),
    *("kept_image_id", "confidence", "evidence", "proposal"),
)


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("decisions", DECIDED),
        ("listing", ("uri", "image_id", "identity", "size", "sha256")),
        ("cleaned", ("uri", "identity", "image_id", "face_id", "sha256", "vector", "label")),
        ("rejects", ("uri", "reason", "detail")),
    ],
)
def test_the_store_changes_no_row(done: Done, table: str, columns: tuple[str, ...]) -> None:
    assert done.codes["s3"]["hits"] == sum(fault.times for fault in PASSING)
    there = done.rows("s3", table, *columns)
    assert there == done.rows("local", table, *columns)
    assert len(there) >= len(PEOPLE) * (EACH - 1) or table == "rejects"


def test_the_store_changes_no_cluster(done: Done) -> None:
    local, there = (json.loads((done.folder / f"{step}.clusters.json").read_text()) for step in ("local", "s3"))
    assert there == local
    assert len(local) == 2 * len(PEOPLE) * EACH


def test_exports_are_the_same_files(done: Done, server: FaultyStore, place: Path) -> None:
    here = {
        path.relative_to(place / "exports").as_posix(): path.read_bytes()
        for path in (place / "exports").rglob("*")
        if path.is_file() and path.suffix in (".jpg", ".csv")
    }
    s3 = client(server.url)
    keys = [item["Key"] for item in s3.list_objects_v2(Bucket="exports", Prefix="faces/first/")["Contents"]]
    there = {
        key: s3.get_object(Bucket="exports", Key=key)["Body"].read() for key in keys if key.endswith((".jpg", ".csv"))
    }
    assert {key.removeprefix("faces/"): content for key, content in there.items()} == here
    assert len([name for name in here if name.endswith(".jpg")]) >= len(PEOPLE) * (EACH - 1)
    assert sum(key.endswith("_SUCCESS") for key in keys) == 2
    assert s3.get_object(Bucket="exports", Key="faces/CURRENT")["Body"].read() == b"more"


def test_the_model_is_fetched_once_for_driver_and_workers(done: Done, place: Path) -> None:
    faults = next(fault.times for fault in PASSING if "models" in fault.match)
    assert sum(line.startswith("GET /models/facenet") for line in done.requests) == 1 + faults
    (stored,) = (place / "tmp").glob(f"facesieve-models-*/*/file/{WEIGHTS}")
    assert stored.stat().st_size > 90_000_000


def test_files_that_fail_for_good_are_rows_with_reasons(done: Done) -> None:
    before, after = (done.rows(step, "decisions", "uri", "verdict", "reasons") for step in ("s3", "more"))
    assert {uri: row for uri, row in after.items() if uri in before} == before
    assert {uri: row for uri, row in after.items() if uri not in before} == {
        "new/good.jpg": ("drop", ["identity_too_small"]),
        **dict.fromkeys(("new/denied.jpg", "new/gone.jpg", "new/sick.jpg"), ("fail", ["undecodable"])),
    }
    assert set(done.rows("more", "listing", "uri")) == set(after)
    details = {uri: str(row[0]) for uri, row in done.rows("more", "rejects", "uri", "detail").items()}
    assert sorted(details) == ["new/denied.jpg", "new/gone.jpg", "new/sick.jpg"]
    for uri, words in (
        ("denied", "PermissionError: access denied"),
        ("gone", "FileNotFoundError"),
        ("sick", "Unanswered: "),
    ):
        assert details[f"new/{uri}.jpg"].startswith(f"cannot be read ({words}")
    assert "1 unreadable folder" in done.errors["more"]
    assert "3 images could not be read" in done.errors["more"]


def test_an_outage_ends_the_run_with_a_sentence_and_the_same_command_goes_on(done: Done) -> None:
    for step, root, why in (
        ("down", "late", "HTTP status 503"),
        ("expired", "keys", "the keys of the job are refused"),
    ):
        assert f"s3a://faces/{root} cannot be read any more ({why}" in done.sentence(step)
        assert done.codes[step]["hits"] > 0
    assert "3 of 3" in done.errors["again"]


def test_a_catalog_that_may_lose_a_commit_is_refused(done: Done) -> None:
    assert "a catalog of type hadoop on s3a://" in done.sentence("unsafe")
