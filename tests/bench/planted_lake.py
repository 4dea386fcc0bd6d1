"""A lake that holds the embeddings of planted images, as a run of `embed` on aligned images would leave them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from bench_environment import PROFILES, ROOT
from planting import Planted
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from facesieve.core import config, ids, profiles, tables
from facesieve.lake import session
from facesieve.lake.catalog import Lake, Stamp

CONFIG = str(ROOT / "conf" / "pipeline.toml")
FILLED = (tables.LISTING, tables.EMBEDDINGS, tables.REJECTS)
SIDE = 250


@dataclass(frozen=True)
class PlantedLake:
    """A namespace of the lake at `root`, and the model whose embeddings it holds."""

    root: Path
    name: str
    model: str

    @property
    def arguments(self) -> list[str]:
        """What tells a job to work on it."""
        return ["--config", CONFIG, "--json", *(f"--set={each}" for each in self.sets)]

    def fill(self, planted: Planted) -> None:
        """Write listing, embeddings and an empty table of rejects, unless these rows are what the lake holds."""
        settings = config.load(CONFIG, (), self.sets)
        spark, folder = session.start(settings.lake), self.root.parent / self.name
        model = profiles.model_id(profiles.load(self.model, PROFILES), settings.embed)
        lake, key = Lake(spark, settings.lake), _digest(planted, model)
        if all(getattr(lake.current(table), "key", "") == key for table in FILLED):
            return
        folder.mkdir(parents=True, exist_ok=True)
        pq.write_table(_rows(planted, model), folder / "rows.parquet")
        rows = spark.read.parquet(str(folder))
        for table in FILLED:
            columns = [
                (F.col(one.name) if one.name in rows.columns else F.lit(None)).cast(one.dataType).alias(one.name)
                for one in table.columns
            ]
            frame = rows.select(*columns) if table is not tables.REJECTS else rows.select(*columns).limit(0)
            lake.overwrite(table, frame, Stamp("planted", key, {}), lake.open(table))

    def decisions(self) -> pd.DataFrame:
        """Read the decisions, evidence in columns of its own."""
        return self._read(tables.DECISIONS).select("*", "evidence.*").drop("evidence").toPandas()

    def identity_links(self) -> pd.DataFrame:
        """Read the identity links; none where the run made none."""
        made = self._lake().current(tables.IDENTITY_LINKS)
        return pd.DataFrame(columns=tables.IDENTITY_LINKS.columns.names) if made is None else self._links()

    def _links(self) -> pd.DataFrame:
        return self._read(tables.IDENTITY_LINKS).toPandas()

    def _lake(self) -> Lake:
        settings = config.load(CONFIG, (), self.sets).lake
        return Lake(session.start(settings), settings)

    def _read(self, table: tables.Table) -> DataFrame:
        lake = self._lake()
        return lake.read(table, lake.snapshot(table))

    @property
    def sets(self) -> list[str]:
        given = {
            "lake.root": self.root,
            "lake.namespace": self.name,
            "images.root": "/nowhere",
            "embed.model": self.model,
            "embed.detector": "aligned",
            "link.scope": "both",
        }
        return [f"{key}={value}" for key, value in given.items()]


def _digest(planted: Planted, model: str) -> str:
    layout = repr((planted.uri, planted.identity, model)).encode()
    return hashlib.sha256(layout + planted.vectors.tobytes()).hexdigest()


def _rows(planted: Planted, model: str) -> pa.Table:
    """One row per image with all that listing and embeddings hold; the content of an image is made up and its own."""
    digests = [hashlib.sha256(uri.encode()).hexdigest() for uri in planted.uri]
    images = [ids.image_id(uri, digest) for uri, digest in zip(planted.uri, digests, strict=True)]
    count = len(images)
    box = {"x": 50.0, "y": 50.0, "width": 145.0, "height": 145.0}
    columns = {
        "image_id": images,
        "uri": planted.uri,
        "identity": planted.identity,
        "sha256": digests,
        "size": [20_000] * count,
        "face_id": [ids.face_id(image, model, 0) for image in images],
        "face_rank": [0] * count,
        "box": [box] * count,
        "confidence": [1.0] * count,
        "sharpness": [100.0] * count,
        "reasons": pa.array([[]] * count, pa.list_(pa.string())),
        "vector": pa.array(list(planted.vectors), pa.list_(pa.float32())),
        "model": [model] * count,
        "image_width": [SIDE] * count,
        "image_height": [SIDE] * count,
    }
    return pa.table(columns)
