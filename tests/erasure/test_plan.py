"""What an erasure finds before it begins."""

from __future__ import annotations

import json
from pathlib import Path

import erasable
from pyspark.sql import SparkSession

from facesieve.core.config import Config
from facesieve.core.sections import Lake as Place
from facesieve.core.sections import Publish
from facesieve.erasure.plan import killed, places, plan_of
from facesieve.lake.ledger import Ledger
from facesieve.lake.side_job import SideJob


def test_rows_versions_and_leftovers_are_counted(spark: SparkSession, tmp_path: Path) -> None:
    lake = erasable.erasable_lake(spark)
    root = str(spark.conf.get("spark.sql.catalog.lake.warehouse"))
    place = Place(root=root, namespace=lake._settings.namespace, scratch=str(tmp_path / "scratch"))
    config = Config(lake=place, publish=Publish(export_root=str(tmp_path / "export")))
    left = tmp_path / "scratch" / "supersteps" / f"{'0' * 24}-3"
    left.mkdir(parents=True)
    job = SideJob(config, spark, lake, Ledger(spark, lake, "", config, ""))
    plan = plan_of(job, erasable.SUBJECT)
    assert {name: each.rows for name, each in plan.tables.items()} == {
        **{"listing": 3, "embeddings": 3, "edges": 3, "epochs": 4, "clusters": 2, "decisions": 1, "cleaned": 1},
        **{"identity_links": 1, "runs": 0},
    }
    assert plan.tables["listing"].snapshots == 3
    assert (plan.scratch, killed(job)) == (1, [f"{place.scratch}/supersteps/{left.name}"])
    assert places(job) == sorted([f"{root}/{place.namespace}", place.scratch, config.publish.export_root])
    assert "  ann/1.jpg" in plan.text().splitlines()
    assert json.loads(json.dumps(plan.record()))["source"] == list(erasable.SUBJECT.uris)
