"""A large lake for erasures: embeddings (`faked_lake`), edges and epoch of the step link, and all after them drawn.

    python tests/bench/erase_lake.py LAKE_FOLDER FACES_FOLDER

Each person is one cluster, every image is kept, and each edge votes. The export of Parquet is the product's. So the
lake has the rows and bytes of a finished run, without the hours of the vote. `synthetic.py` writes FACES_FOLDER.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import faked_lake
from bench_environment import CONFIG
from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from facesieve.core import config, tables
from facesieve.erasure.exports import MARK
from facesieve.images.storage import Storage
from facesieve.lake import session
from facesieve.lake.catalog import Lake, Stamp
from facesieve.publish.parquet_export import export_parquet

RUN, SCOPE, BUCKETS = "drawn", "global", 16


def main(folder: Path, faces: Path) -> None:
    """Fill the tables of embed, run the step link, and draw all others."""
    if not (folder / "lake" / "faces" / "edges").exists():
        faked_lake.fill(folder / "lake", faces)
        stage, seconds, peak = faked_lake.link(folder / "lake")
        print(f"link: stage {stage['seconds']:.1f} s, command {seconds:.1f} s, {stage['edges']:,} edges, peak {peak:,}")
    asked = config.load(CONFIG, (), (f"lake.root={folder / 'lake'}", "images.root=/nowhere"))
    spark = session.start(asked.lake)
    lake = Lake(spark, asked.lake)
    for table, rows in _drawn(lake).items():
        lake.overwrite(table, rows, Stamp(RUN, "drawn", {}), lake.open(table))
    _export(lake, folder / "export")
    _finish(spark, lake, folder / "export")
    session.clear_scratch(spark)


def _drawn(lake: Lake) -> dict[tables.Table, DataFrame]:
    listed, embedded, edges = (
        lake.read(each, lake.snapshot(each)) for each in (tables.LISTING, tables.EMBEDDINGS, tables.EDGES)
    )
    person = Window.partitionBy("identity")
    faces = embedded.select("face_id", "image_id").join(listed.select("image_id", "identity"), "image_id", how="inner")
    people = faces.withColumns({"cluster_id": F.min("face_id").over(person), "cluster_size": F.count("*").over(person)})
    common = {"confidence": F.lit(0.9), "verdict": F.lit("keep"), "proposal": F.lit("keep"), "reasons": F.array()}
    scoped = {"scope": F.lit(SCOPE), "cluster_scope": F.lit(SCOPE), "settled": F.lit(True), "attached": F.lit(False)}
    more = {"cohesion": F.lit(0.9), "medoid": F.col("face_id") == F.col("cluster_id"), "label": F.lit(0)}
    all_of = people.withColumns(common | scoped | more)
    nearest = F.struct(F.col("cluster_id").alias("nearest_face"), *(F.lit(0.9).alias(each) for each in _SHARES))
    files = listed.select("image_id", "uri", "sha256")
    vectors = embedded.select("face_id", "vector")
    return {
        tables.VOTES: _as(edges.withColumns({"score": F.col("cosine"), "votes": F.lit(True)}), tables.VOTES),
        tables.CLUSTERS: _as(all_of, tables.CLUSTERS),
        tables.DECISIONS: _as(
            all_of.withColumn("evidence", nearest).join(files, "image_id", how="inner"), tables.DECISIONS
        ),
        tables.CLEANED: _as(
            all_of.join(files, "image_id", how="inner").join(vectors, "face_id", how="inner"), tables.CLEANED
        ),
    }


_SHARES = ("cosine", "share", "margin")


def _as(rows: DataFrame, table: tables.Table) -> DataFrame:
    """Return the columns of a table; those that are not drawn are null."""
    there = (F.col(f.name) if f.name in rows.columns else F.lit(None) for f in table.columns)
    return rows.select(*(each.cast(f.dataType).alias(f.name) for each, f in zip(there, table.columns, strict=True)))


def _export(lake: Lake, root: Path) -> None:
    """Write what the run would have exported as Parquet."""
    cleaned = lake.read(tables.CLEANED, lake.snapshot(tables.CLEANED))
    export_parquet(tables.Cleaned(cleaned), Storage(str(root / RUN)), BUCKETS)
    (root / RUN / MARK).write_text("")
    (root / "CURRENT").write_text(RUN)


def _finish(spark: SparkSession, lake: Lake, export: Path) -> None:
    after = {each.name: at.id for each in tables.ALL if each is not tables.RUNS and (at := lake.current(each))}
    now = datetime.now(UTC)
    record = {"run": RUN, "started": now.isoformat(), "ended": now.isoformat(), "stages": {}, "status": "done"}
    text = json.dumps(record | {"after": after, "export_root": str(export)})
    row: tuple[Any, ...] = (RUN, "done", now, now, {}, after, text)
    lake.put_row(tables.RUNS, spark.createDataFrame([row], tables.RUNS.columns), "run", RUN)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
