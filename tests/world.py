"""A lake in which stages run on made-up faces, without images: what is listed, what is embedded, what a run tells."""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
from pyspark.sql import SparkSession

import oracle
from facesieve import tables
from facesieve.config import Cluster, Config, Link
from facesieve.config import Lake as Place
from facesieve.lake import Lake, Stamp
from facesieve.profiles import InFolder, Profile, StrangerLine
from facesieve.run import Run
from facesieve.stages.packed import faces_in
from facesieve.verbs import cluster as cluster_verb
from facesieve.verbs import link as verb
from facesieve.verbs.epochs import Epoch, standing

MODEL = "m@1"
DIMENSION = 32
PROFILE = Profile(
    file="",
    sha256="0" * 64,
    form="tflite",
    input=(160, 160),
    normalisation="none",
    dimension=DIMENSION,
    name="toy",
    strangers=StrangerLine(0.0, 0.18),
    identity=InFolder(0.5, 0.3),
)
LINK = Link(scope="heap", threshold_heap=0.6, max_neighbours=0)


@dataclass
class World:
    """A lake of its own with the tables listing and embeddings, and who is in them."""

    spark: SparkSession
    everybody: oracle.Crowd
    present: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    embedded: set[int] = field(default_factory=set)
    runs: int = 0
    scratch: str = ""
    settings: Cluster = field(default_factory=Cluster)
    records: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.lake = Lake(self.spark, Place(namespace=f"ns_{uuid.uuid4().hex[:8]}"))

    @property
    def faces(self) -> oracle.Crowd:
        return self.everybody.take(self.present)

    def become(self, everybody: oracle.Crowd) -> None:
        """Begin anew with other people in the same lake."""
        self.everybody, self.embedded = everybody, set()

    def put(self, present, names: list[str | None] | None = None) -> None:
        """Let these rows of everybody be listed, and nobody else; whoever is new is embedded, and stays so."""
        self.present = np.array(sorted(present), np.int64)
        self.everybody = replace(self.everybody, names=names or self.everybody.names)
        new = np.array(sorted(set(present) - self.embedded), np.int64)
        self._write(tables.LISTING, self.present, append=False)
        if len(new) or not self.embedded:
            self._write(tables.EMBEDDINGS, new, append=bool(self.embedded))
        self.embedded |= set(present)

    def _write(self, table: tables.Table, present: np.ndarray, *, append: bool) -> None:
        faces = self.everybody.take(present)
        rows = oracle.frame(self.spark, faces, 2, seed=len(present))
        known = {"image_id": "face_id", "uri": "string(face_id)", "model": f"'{MODEL}'", "face_rank": "0"}
        columns = []
        for one in table.columns:
            value = known.get(one.name, one.name if one.name in rows.columns else "null")
            columns.append(f"cast({value} as {one.dataType.simpleString()}) {one.name}")
        told = repr((self.everybody.ids[sorted(self.embedded)].tolist(), faces.ids.tolist(), faces.names))
        key = hashlib.sha256(told.encode() + faces.vectors.tobytes()).hexdigest()
        write = self.lake.append if append else self.lake.overwrite
        write(table, rows.selectExpr(*columns), Stamp("test", f"{table.name}:{key}", {}), self.lake.open(table))

    def begun(self, *, full: bool = False, **settings) -> Run:
        records = self.records
        ledger = SimpleNamespace(
            stages={}, warnings=[], stage_of=lambda run, stage: records.get(run, {}).get(stage, {})
        )
        place = Place(scratch=self.scratch) if self.scratch else Place()
        config = Config(lake=place, link=replace(LINK, **settings), cluster=self.settings)
        return Run(f"run-{self.runs}", config, PROFILE, MODEL, full, self.spark, self.lake, ledger)

    def _recorded(self, run: str, stage: str) -> dict[str, Any]:
        return dict(self.records.get(run, {}).get(stage, {}))

    def link(self, *, full: bool = False, **settings) -> dict:
        """Run the verb; return the ledger's facts with the warnings."""
        self.runs += 1
        run = self.begun(full=full, **settings)
        verb.link(run)
        return run.ledger.stages["link"] | {"warnings": run.ledger.warnings}

    def cluster(self, *, full: bool = False, **settings) -> dict:
        """Run the verb; return the ledger's facts with the warnings."""
        self.runs += 1
        self.settings = replace(self.settings, **settings)
        run = self.begun(full=full)
        cluster_verb.cluster(run)
        self.records[run.name] = run.ledger.stages
        return run.ledger.stages["cluster"] | {"warnings": run.ledger.warnings}

    def clusters(self) -> dict[int, int]:
        """The cluster of each face in the heap."""
        rows = self.lake.read(tables.CLUSTERS, self.lake.standing(tables.CLUSTERS)).where("scope = 'heap'")
        return dict(rows.select("face_id", "cluster_id").collect())

    def epoch(self) -> Epoch:
        stage = self.begun().stage("link", (tables.EDGES, tables.EPOCHS), (tables.LISTING, tables.EMBEDDINGS))
        row = stage.former(tables.EPOCHS).where("kind = 'settings'").collect()[0]
        return standing(stage, json.loads(row.settings)["made_of"])

    def edges(self) -> dict[str, oracle.Pairs]:
        rows = self.lake.read(tables.EDGES, self.lake.standing(tables.EDGES)).cache()
        found = {scope: oracle.collected(rows.where(f"scope = '{scope}'")) for scope in ("identity", "heap")}
        rows.unpersist()
        return found

    def kept(self) -> list[int]:
        """The faces that the epoch's table holds."""
        rows = self.lake.read(tables.EPOCHS, self.lake.standing(tables.EPOCHS)).where("kind = 'faces'")
        return sorted(face for block in faces_in(rows.collect()) for face in block.ids.tolist())

    def at(self) -> dict[str, int]:
        return {table.name: self.lake.standing(table).id for table in (tables.EDGES, tables.EPOCHS)}
