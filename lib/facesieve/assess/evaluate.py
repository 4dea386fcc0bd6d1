"""evaluate: how well the lake's clusters agree with identities, and what they look like without. Changes nothing."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import Any

import numpy as np
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from facesieve.assess.contingency import ComparedFaces, contingency
from facesieve.assess.finished_run import FinishedRun, add_run, finished_run
from facesieve.assess.kernels.agreement import Cells, purity
from facesieve.assess.report import of_evaluation
from facesieve.assess.truth_file import as_listed, read_truth
from facesieve.core import tables
from facesieve.core.console import Answer, count
from facesieve.core.errors import ConfigError, Fault
from facesieve.core.hidden_paths import path_seal
from facesieve.core.places import argument
from facesieve.faces.edge_frames import GroupedFaces, apart
from facesieve.images.hidden.hidden_uris import shown_uris
from facesieve.lake.side_job import SideJob


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what only this job is asked."""
    parser.add_argument(
        "--truth", type=argument, default="", metavar="FILE", help="CSV or Parquet with the columns uri and identity"
    )
    parser.add_argument("--scope", default="", help="identity or global (default: each that there is)")
    add_run(parser)


def evaluate(job: SideJob, arguments: Namespace) -> Answer:
    """Compare the clusters of a finished run with the listing's identities, or with those of a truth table."""
    source = finished_run(job.lake, arguments.run)
    listing = source.table(tables.LISTING).select("image_id", "uri", "identity")
    clusters = source.table(tables.CLUSTERS)
    scopes = _scopes(clusters, arguments.scope)
    if arguments.truth:
        listing = shown_uris(listing, path_seal(job.config.lake))
        rows = as_listed(read_truth(arguments.truth), listing, job.config.images.root)
        truth = job.spark.createDataFrame(list(rows.items()), "uri string, identity string")
        _warn_of_unknown(job, truth, listing)
        listing = listing.drop("identity").join(truth, "uri", how="left")
    faces = _faces(source, listing).persist()
    figures = {
        scope: _of_scope(clusters.where(F.col("scope") == scope), faces)
        | {"false_matches": _false_matches(source, scope, faces)}
        for scope in scopes
    }
    faces.unpersist()
    if not any(scope["compared"] for scope in figures.values()):
        text = "no clustered face has an identity, so there is nothing to compare with: what follows needs none"
        job.warn(f"evaluate: {text}")
    record = {
        "run": source.run,
        "truth": "file" if arguments.truth else "listing",
        "scopes": figures,
        "warnings": job.warnings,
    }
    return Answer(of_evaluation(record), record)


def _scopes(clusters: DataFrame, asked: str) -> list[str]:
    if asked == "heap":
        raise ConfigError([Fault("--scope", "heap was renamed to global", "Write --scope global.")])
    there = sorted(row.scope for row in clusters.select("scope").distinct().collect())
    if not there:
        raise ConfigError([Fault("table clusters", "it is empty", "Run jobs/sieve.py on images that hold faces.")])
    if asked and asked not in there:
        fix = f"Use one of: {', '.join(there)}."
        raise ConfigError([Fault("--scope", f"the run has no clusters of scope {asked!r}", fix)])
    return [asked] if asked else there


def _warn_of_unknown(job: SideJob, truth: DataFrame, listing: DataFrame) -> None:
    unknown = truth.join(listing, "uri", how="left_anti").count()
    if unknown == truth.count():
        fix = "Write uris as the table listing does: relative to images.root."
        raise ConfigError([Fault("--truth", f"none of its {count(unknown)} uris is in the run's listing", fix)])
    if unknown:
        job.warn(f"evaluate: {count(unknown)} uris of --truth are not in the run's listing and are left out")


def _faces(source: FinishedRun, listing: DataFrame) -> DataFrame:
    """Return face_id, image_id, leading (the image's largest face) and person (null where there is none)."""
    embedded = source.table(tables.EMBEDDINGS).select("face_id", "image_id", "face_rank")
    person = F.nullif(F.trim("identity"), F.lit("")).alias("person")
    leading = (F.col("face_rank") == 0).alias("leading")
    joined = embedded.join(listing.select("image_id", person), "image_id", how="inner")
    return joined.select("face_id", "image_id", leading, "person")


def _of_scope(clusters: DataFrame, faces: DataFrame) -> dict[str, Any]:
    labels = clusters.select("face_id", F.col("cluster_id").alias("cluster"), "cluster_size")
    clustered = labels.join(faces, "face_id", how="inner")
    crossed = contingency(ComparedFaces(clustered.where("leading AND person IS NOT NULL")))
    agreement = _agreement(crossed.cells) | {"purity": _purity(crossed.clusters)}
    return _counts(clustered) | agreement | _proxies(clustered)


def _counts(clustered: DataFrame) -> dict[str, Any]:
    named = F.col("person").isNotNull()
    row = clustered.agg(
        F.count("*").alias("faces"),
        F.count_if(named & F.col("leading")).alias("compared"),
        F.count_if(~named).alias("without_identity"),
        F.count_if(named & ~F.col("leading")).alias("further_faces"),
        F.count_if(F.col("cluster_size") == 1).alias("singletons"),
        F.max("cluster_size").alias("largest"),
    ).collect()[0]
    facts: dict[str, Any] = row.asDict()
    for name in ("singletons", "largest"):
        facts[f"{name}_share"] = facts[name] / facts["faces"] if facts["faces"] else None
    return facts


def _agreement(counts: DataFrame) -> dict[str, Any]:
    cells = Cells(*_columns(counts, Cells._fields))
    if not cells.faces:
        return dict.fromkeys(("people", "clusters", "bcubed", "pairwise", "nmi"))
    return {
        "people": cells.people,
        "clusters": cells.clusters,
        "bcubed": cells.bcubed()._asdict(),
        "pairwise": cells.pairwise()._asdict(),
        "nmi": cells.mutual_information(),
    }


def _purity(clusters: DataFrame) -> list[dict[str, Any]]:
    return [band._asdict() for band in purity(*_columns(clusters, ("size", "largest", "times")))]


def _false_matches(source: FinishedRun, scope: str, faces: DataFrame) -> float | None:
    """Return the faces of other persons that a compared face is linked to, on average: what link forecasts.

    None without edges or without a compared face. Edges that the cap has dropped are not counted.
    """
    if tables.EDGES.name not in source.after:
        return None
    compared = faces.where("leading AND person IS NOT NULL").select("face_id", "person")
    edges = tables.Edges(source.table(tables.EDGES).where(F.col("scope") == scope))
    return apart(edges, GroupedFaces(compared), compared.count())


def _columns(counts: DataFrame, names: tuple[str, ...]) -> list[Any]:
    """Bring counts to the driver, in an order of their own, so that sums do not depend on the partitioning."""
    rows = sorted(tuple(row) for row in counts.select(*names).collect())
    return list(np.array(rows, np.int64).reshape(-1, len(names)).T)


def _proxies(clustered: DataFrame) -> dict[str, Any]:
    """Count images with several faces, and those of them with two faces in one cluster: two people taken for one."""
    images = clustered.groupBy("image_id").agg(
        F.count("*").alias("faces"), F.count_distinct("cluster").alias("clusters")
    )
    several = images.where("faces > 1").agg(F.count("*"), F.count_if(F.col("clusters") < F.col("faces")))
    images_with, doubled = several.collect()[0]
    return {
        "images_with_several_faces": images_with,
        "images_with_two_in_one_cluster": doubled,
        "two_in_one_cluster_share": doubled / images_with if images_with else None,
    }
