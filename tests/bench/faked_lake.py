"""A lake that already holds embeddings, so that the stages after them can be measured without images."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from bench_environment import CONFIG, PROFILES, ROOT, job_command
from pyspark.sql import functions as F

from facesieve.core import config, profiles, tables
from facesieve.lake import session
from facesieve.lake.catalog import Lake, Stamp

SETTINGS = {"images.root": "/nowhere", "images.identity": "none", "link.scope": "global"}


def fill(lake: Path, folder: Path, *, more: bool = False) -> None:
    """Write the tables listing and embeddings from a Parquet folder (face_id, identity, vector), in its own process.

    `more`: add to what the tables hold, as a run does that finds new images.
    """
    command = [sys.executable, __file__, str(lake), str(folder), *(["more"] if more else [])]
    subprocess.run(command, cwd=ROOT, check=True, stderr=subprocess.DEVNULL)


def link(lake: Path, **settings: object) -> tuple[dict[str, Any], float, int]:
    """Run jobs/link.py; return the ledger's record of the stage, the seconds of the whole command and the peak memory.

    Memory is the greatest sum of resident set sizes of all processes of the command, in bytes.
    """
    asked = SETTINGS | {"lake.root": lake} | {name.replace("__", "."): value for name, value in settings.items()}
    full = bool(asked.pop("full", False))
    command = job_command("link", asked)
    began, peak = time.monotonic(), 0
    with subprocess.Popen(command + ["--full"] * full, cwd=ROOT, stdout=subprocess.PIPE, start_new_session=True) as job:
        while job.poll() is None:
            peak = max(peak, _resident(job.pid))
            time.sleep(0.2)
        record = job.stdout.read() if job.stdout else b""
    if job.returncode:
        raise SystemExit(f"link ended with exit code {job.returncode}")
    return json.loads(record)["stages"]["link"], time.monotonic() - began, peak


def edges(lake: Path) -> tuple[Any, Any, Any]:
    """Return the edges that a lake holds now: src and dst, int64 [E], and cosines, float32 [E]."""
    settings = config.load(CONFIG, (), (f"lake.root={lake}", "images.root=/nowhere"))
    spark = session.start(settings.lake)
    tables_of = Lake(spark, settings.lake)
    rows = tables_of.read(tables.EDGES, tables_of.snapshot(tables.EDGES)).select("src", "dst", "cosine")
    rows.write.mode("overwrite").parquet(str(lake.with_name("edges")))
    spark.stop()
    stored = pq.read_table(lake.with_name("edges"))
    src, dst, cosines = (stored[name].to_numpy() for name in stored.column_names)
    return src, dst, cosines


def thin(lake: Path, mode: str) -> None:
    """Let every hundredth image go from the listing, and set how rows of `edges` are deleted; in its own process."""
    subprocess.run([sys.executable, __file__, str(lake), mode, "thin"], cwd=ROOT, check=True, stderr=subprocess.DEVNULL)


def files_of_edges(lake: Path) -> tuple[int, int]:
    """Count the files of the folder of `edges`, of all its versions, and their bytes."""
    sizes = [file.stat().st_size for file in (lake / "faces/edges/data").rglob("*.parquet")]
    return len(sizes), sum(sizes)


def _thin(root: str, mode: str) -> None:
    settings = config.load(CONFIG, (), (f"lake.root={root}", "images.root=/nowhere"))
    spark = session.start(settings.lake)
    lake = Lake(spark, settings.lake)
    listed = lake.read(tables.LISTING, lake.snapshot(tables.LISTING))
    stamp = Stamp("bench", "bench without a hundredth", {})
    lake.overwrite(tables.LISTING, listed.where("pmod(image_id, 100) <> 7"), stamp, lake.snapshot(tables.LISTING))
    spark.sql(f"ALTER TABLE {lake.name_of(tables.EDGES)} SET TBLPROPERTIES ('write.delete.mode' = '{mode}')")


def _resident(session: int) -> int:
    # By session: Python's workers have a process group of their own.
    rows = subprocess.run(["ps", "-eo", "sess=,rss="], stdout=subprocess.PIPE, text=True, check=True).stdout.split("\n")
    pairs = [tuple(map(int, row.split())) for row in rows if row.strip()]
    return 1024 * sum(rss for sess, rss in pairs if sess == session)


def _fill(root: str, folder: str, *, more: bool) -> None:
    # With all settings of the step after it, since the model's name follows from some of them.
    settings = config.load(CONFIG, (), (f"lake.root={root}", *(f"{name}={value}" for name, value in SETTINGS.items())))
    spark = session.start(settings.lake)
    model = profiles.model_id(profiles.load("facenet", PROFILES), settings.embed)
    lake, faces = Lake(spark, settings.lake), spark.read.parquet(folder)
    key = F.col("face_id")
    known = {"image_id": key, "uri": F.concat(F.lit("i/"), key), "sha256": F.sha2(key.cast("string"), 256)}
    embedded = known | {"face_id": key, "face_rank": F.lit(0), "vector": F.col("vector"), "model": F.lit(model)}
    stamp = Stamp("bench", f"bench of {folder}", {})
    for table, columns in (
        (tables.LISTING, known | {"identity": F.col("identity")}),
        (tables.EMBEDDINGS, embedded),
    ):
        filled = [columns.get(f.name, F.lit(None)).cast(f.dataType).alias(f.name) for f in table.columns]
        since, rows = lake.open(table), faces.select(*filled)
        (lake.append if more else lake.overwrite)(table, rows, stamp, since)


if __name__ == "__main__":
    if "thin" in sys.argv:
        _thin(sys.argv[1], sys.argv[2])
    else:
        _fill(sys.argv[1], sys.argv[2], more="more" in sys.argv)
