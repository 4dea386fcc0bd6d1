"""A lake whose runs are real, but for the stages before publish: those write rows that a test has made."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from facesieve import config, runner, tables
from facesieve.lake import Lake
from facesieve.run import Run
from facesieve.verbs.publish import publish
from facesieve.verbs.undo import add_arguments, undo

ROOT = Path(__file__).resolve().parents[1]


@dataclasses.dataclass(frozen=True)
class Decided:
    """What is decided of an image; its uri is the key it stands under, and its content too unless another is given."""

    verdict: str = "keep"
    identity: str | None = "Ann"
    moved_to: str | None = None
    cluster: int = 7
    content: bytes = b""


class Shop:
    """A namespace of the test catalog with images and exports of its own."""

    def __init__(self, spark: SparkSession, root: Path) -> None:
        self.spark, self.images, self.export = spark, root / "images", root / "export"
        self.images.mkdir(parents=True, exist_ok=True)
        self.namespace = f"ns_{uuid.uuid4().hex[:8]}"
        self.lake = Lake(spark, config.Lake(namespace=self.namespace))

    def arguments(self, *sets: str) -> list[str]:
        settings = {
            "lake.root": self.spark.conf.get("spark.sql.catalog.lake.warehouse"),
            "lake.namespace": self.namespace,
            "images.root": self.images,
            "publish.export_root": self.export,
            "publish.buckets": 2,
        }
        pairs = [*(f"{name}={value}" for name, value in settings.items()), *sets]
        return ["--config", str(ROOT / "conf/pipeline.toml"), *(part for pair in pairs for part in ("--set", pair))]

    def run(self, name: str, *verbs: Callable[[Run], None], sets: tuple[str, ...] = ()) -> int:
        return runner.main(verbs, "", [*self.arguments(*sets), "--run", name])

    def dry(self, name: str, images: Mapping[str, Decided], *sets: str) -> int:
        """Decide; publish nothing."""
        return self.run(name, deciding(images), publish, sets=sets)

    def apply(self, name: str, images: Mapping[str, Decided], *sets: str) -> int:
        """Decide and publish."""
        return self.run(name, deciding(images), publish, sets=("publish.apply=true", *sets))

    def undo(self, name: str, extra: tuple[str, ...] = ()) -> int:
        return runner.ask(undo, "", add_arguments, [*self.arguments(), "--undo", name, *extra])

    def standing(self) -> dict[str, int]:
        found = {table.name: self.lake.current(table) for table in tables.ALL if table is not tables.RUNS}
        return {name: snapshot.id for name, snapshot in found.items() if snapshot}

    def cleaned(self) -> dict[str, str]:
        """Identity by uri of the table as it stands."""
        rows = self.lake.read(tables.CLEANED, self.lake.standing(tables.CLEANED)).select("uri", "identity").collect()
        return dict(map(tuple, rows))

    def record(self, name: str) -> dict[str, Any]:
        row = self.spark.table(f"lake.{self.namespace}.runs").where(f"run = '{name}'").collect()[0]
        return json.loads(row.record) | {"status in the table": row.status}

    def current(self) -> str | None:
        file = self.export / "CURRENT"
        return file.read_text() if file.exists() else None


def writing(table: tables.Table, rows: list[dict[str, Any]]) -> Callable[[Run], None]:
    """Return a verb that makes these rows (columns that are not given are null) the table's, or reuses them."""

    def verb(run: Run) -> None:
        given = [row | ({"model": run.model} if "model" in table.columns.names else {}) for row in rows]
        stage = run.stage(f"made {table.name}", (table,), (), rows=repr(given))
        reused = stage.reuse()
        if not reused:
            values = [tuple(row.get(name) for name in table.columns.names) for row in given]
            stage.overwrite(table, run.spark.createDataFrame(values, table.columns).coalesce(1))
        stage.done(None, len(rows), reused=reused)

    return verb


def deciding(images: Mapping[str, Decided]) -> Callable[[Run], None]:
    """Return a verb that lists the images, embeds one face of each, and decides."""
    rows = [_rows(uri, decided) for uri, decided in images.items()]
    made = (tables.LISTING, tables.EMBEDDINGS, tables.DECISIONS)
    verbs = [writing(table, [each[number] for each in rows]) for number, table in enumerate(made)]

    def verb(run: Run) -> None:
        for each in verbs:
            each(run)

    return verb


def _rows(uri: str, decided: Decided) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    digest = hashlib.sha256(uri.encode()).digest()
    image = {"image_id": int.from_bytes(digest[:4], "big"), "uri": uri}
    face = {"face_id": -image["image_id"]}
    content = {"sha256": hashlib.sha256(decided.content or uri.encode()).hexdigest()}
    said = {"verdict": decided.verdict, "identity": decided.identity, "moved_to": decided.moved_to}
    return (
        image | content | {"identity": decided.identity},
        image | content | face | {"face_rank": 0, "vector": [0.6, 0.8]},
        image | face | said | {"reasons": [], "cluster_scope": "identity", "cluster_id": decided.cluster},
    )
