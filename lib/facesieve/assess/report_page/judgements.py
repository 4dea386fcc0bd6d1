"""What became of the judgements that a run read: followed or not, what they changed, what speaks against them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from facesieve.assess.report_page.given_files import GivenFile, GivenFiles, who_and_when
from facesieve.assess.report_page.looked_at import LookedAt, is_judged
from facesieve.assess.report_page.run_tables import RunTables
from facesieve.assess.report_page.scores import cosine_of
from facesieve.core.frames import columns
from facesieve.core.reasons import Verdict

SHOWN = 500
"""Judgements of a kind that are listed."""

_PAIRS = columns("number bigint, must boolean, images boolean, a bigint, b bigint")


def judgements(
    run: RunTables, before: RunTables | None, images: LookedAt, files: GivenFiles, *, names: bool
) -> dict[str, Any]:
    """Return what the summary says of judgements. Without `names` it does not say who has judged."""
    return {
        "overrides": _overrides(run, before, images, files.overrides, names=names),
        "constraints": constraint_judgements(run, files.constraints),
    }


def reliability(run: RunTables, before: RunTables | None) -> list[dict[str, Any]]:
    """Count images by confidence, in tenths; right: the share of judged images that a person left as proposed.

    The confidence of an image that a person judged is that of the run before, for a ruled image has none.
    """
    tenths = F.floor(F.round(F.col("confidence") * 10, 4)).cast("int")
    band = F.least(tenths, F.lit(9)).alias("band")
    sure = run.decisions.where("confidence IS NOT NULL").groupBy(band)
    rows = sure.agg(F.count("*").alias("count"), F.avg("confidence").alias("mean")).collect()
    right = {} if before is None else _right(run, before, band)
    counts = {row["band"]: row for row in rows}
    return [
        {
            "low": at / 10,
            "high": (at + 1) / 10,
            "count": counts[at]["count"] if at in counts else 0,
            "mean_confidence": counts[at]["mean"] if at in counts else None,
            "right": right.get(at),
        }
        for at in range(10)
    ]


def _right(run: RunTables, before: RunTables, band: Column) -> dict[int, float]:
    ruled = run.decisions.where(is_judged()).select("image_id", F.col("verdict").alias("ruling"))
    sure = before.decisions.where("confidence IS NOT NULL").select("image_id", "verdict", band)
    agreed = F.avg((F.col("ruling") == F.col("verdict")).cast("double")).alias("right")
    return {row["band"]: row["right"] for row in ruled.join(sure, "image_id").groupBy("band").agg(agreed).collect()}


def _overrides(
    run: RunTables, before: RunTables | None, images: LookedAt, file: GivenFile, *, names: bool
) -> dict[str, Any]:
    ruled = run.decisions.where(is_judged()).select("image_id", "uri", "verdict", "moved_to", "proposal")
    former = ruled.select("image_id", F.col("proposal").alias("former"))
    if before is not None:
        former = before.decisions.select("image_id", F.col("verdict").alias("former"))
    compared = (
        ruled.join(former, "image_id", how="left").withColumn("former", F.coalesce("former", "proposal")).persist()
    )
    changed = compared.where("former <> verdict").orderBy("image_id").limit(SHOWN).collect()
    against = compared.where((F.col("proposal") != F.col("verdict")) & (F.col("proposal") != Verdict.QUARANTINE.value))
    contradicted = against.orderBy("image_id").limit(SHOWN).collect()
    who = _who(images, file) if names else {}
    counts = {"rows": len(file.rows) if file.rows is not None else compared.count(), "followed": compared.count()}
    compared.unpersist()
    return counts | {
        "changed": [
            {"image_id": str(row["image_id"]), "verdict_before": row["former"], "verdict": row["verdict"]}
            for row in changed
        ],
        "contradicted": [
            {
                "image_id": str(row["image_id"]),
                "verdict": row["verdict"],
                "proposal": row["proposal"],
                "who": who.get(row["image_id"], (None, None))[0],
                "at": who.get(row["image_id"], (None, None))[1],
            }
            for row in contradicted
        ],
    }


def _who(images: LookedAt, file: GivenFile) -> dict[int, tuple[str | None, str | None]]:
    uris = sorted({uri for row in file.rows or () if (uri := row.text("uri", strip=False))})
    if not uris:
        return who_and_when(file, {})
    wanted = F.broadcast(images.sparkSession.createDataFrame([(uri,) for uri in uris], "uri string"))
    rows = images.join(wanted, "uri", how="left_semi").select("uri", "image_id").collect()
    return who_and_when(file, {row["uri"]: row["image_id"] for row in rows})


def constraint_judgements(run: RunTables, file: GivenFile) -> dict[str, Any]:
    """Followed: the two are in one cluster, or are not. Contradicted: the link cosine says otherwise of theirs."""
    rows = _pairs(file)
    if not rows:
        return {"rows": 0, "followed": 0, "contradicted": []}
    scope = run.scopes[-1]
    ends = _ends(run, rows, scope)
    pairs = run.decisions.sparkSession.createDataFrame(rows, _PAIRS)
    both = reduce(lambda frame, end: frame.join(_of(ends, end), ["images", end], how="inner"), ("a", "b"), pairs)
    cosine = cosine_of("vector_a", "vector_b")
    together = F.coalesce(F.col("cluster_a") == F.col("cluster_b"), F.lit(False))
    resolved = both.withColumns({"cosine": cosine, "together": together}).orderBy("number").collect()
    line = run.link_cosine(scope)
    against = [row for row in resolved if line is not None and (row["cosine"] >= line) != row["must"]]
    return {
        "rows": len(rows),
        "followed": sum(row["together"] == row["must"] for row in resolved),
        "contradicted": [_contradicted(row) for row in against[:SHOWN]],
    }


def _contradicted(row: Any) -> dict[str, Any]:
    ends = {f"image_{end}": str(row[f"image_{end}"]) for end in ("a", "b")}
    return {"kind": "must" if row["must"] else "cannot", **ends, "cosine": row["cosine"]}


def _pairs(file: GivenFile) -> list[tuple[int, bool, bool, int, int]]:
    """Read the pairs that name two faces or two images; `cluster` has checked the file when the run read it."""
    pairs = []
    for number, row in enumerate(file.rows or ()):
        for images, names in ((False, ("face_a", "face_b")), (True, ("image_a", "image_b"))):
            a, b = (row.id(name) if row.text(name) else None for name in names)
            if a is not None and b is not None:
                pairs.append((number, row.text("kind") == "must", images, a, b))
    return pairs


def _ends(run: RunTables, rows: Sequence[tuple[int, bool, bool, int, int]], scope: str) -> DataFrame:
    """Find the face of each end: images, id, vector, cluster, image."""
    faces = run.embeddings.select("face_id", "image_id", "face_rank", "vector")
    clusters = run.clusters.where(F.col("scope") == scope).select("face_id", F.col("cluster_id").alias("cluster"))
    sides = []
    for images, name in ((False, "face_id"), (True, "image_id")):
        ids = sorted({end for row in rows if row[2] == images for end in row[3:]})
        wanted = F.broadcast(faces.sparkSession.createDataFrame([(number,) for number in ids], "id bigint"))
        of_kind = faces.where("face_rank = 0") if images else faces
        sides.append(of_kind.join(wanted, of_kind[name] == wanted["id"]).withColumn("images", F.lit(images)))
    return sides[0].unionByName(sides[1]).join(clusters, "face_id", how="left")


def _of(ends: DataFrame, end: str) -> DataFrame:
    return ends.select(
        "images",
        F.col("id").alias(end),
        F.col("vector").alias(f"vector_{end}"),
        F.col("cluster").alias(f"cluster_{end}"),
        F.col("image_id").alias(f"image_{end}"),
    )
