"""The rows of the tables that are of a person, as the tables stand; a person has few, so they come to the driver."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from facesieve.core import tables
from facesieve.core.tables import Table
from facesieve.erasure.plan import BY_IMAGE
from facesieve.erasure.subject import Subject
from facesieve.lake.catalog import Lake

ByImage = Mapping[int, Sequence[Row]]


@dataclass(frozen=True)
class Collected:
    """Table -> image -> its rows; face -> its rows of `clusters`; scope and cluster -> how many faces are the person's.

    linked: edges between the person's faces, and edges to other faces. named: image -> the names under which any
    version of the listing has it. mostly: scope and cluster -> the name that more than half of its faces are under.
    """

    rows: Mapping[str, ByImage]
    clusters: Mapping[int, Sequence[Row]]
    own: Mapping[tuple[str, int], int]
    linked: tuple[int, int]
    named: Mapping[int, Sequence[str]]
    mostly: Mapping[tuple[str, int], str] = field(default_factory=dict)

    def of(self, table: Table, image: int) -> Sequence[Row]:
        """Return the rows of an image."""
        return self.rows[table.name].get(image, ())


def collect(lake: Lake, subject: Subject) -> Collected:
    """Read all that is of the subject."""
    rows = {table.name: _grouped(_rows(lake, table, "image_id", subject.images), "image_id") for table in BY_IMAGE}
    clusters = _rows(lake, tables.CLUSTERS, "face_id", subject.faces)
    own: dict[tuple[str, int], int] = {}
    for row in clusters:
        own[row.scope, row.cluster_id] = own.get((row.scope, row.cluster_id), 0) + 1
    linked, named = _linked(lake, subject), _named(lake, subject)
    return Collected(rows, _grouped(clusters, "face_id"), own, linked, named, _mostly(lake, own))


def _rows(lake: Lake, table: Table, column: str, ids: Collection[int]) -> list[Row]:
    at = lake.current(table)
    return [] if at is None else lake.read(table, at).where(F.col(column).isin(*ids)).collect()


def _grouped(rows: Sequence[Row], column: str) -> dict[int, list[Row]]:
    groups: dict[int, list[Row]] = {}
    for row in rows:
        groups.setdefault(row[column], []).append(row)
    return groups


def _named(lake: Lake, subject: Subject) -> dict[int, list[str]]:
    if lake.current(tables.LISTING) is None:
        return {}
    versions = (
        lake.read(tables.LISTING, each).select("image_id", "identity") for each in lake.versions(tables.LISTING)
    )
    chosen = F.col("image_id").isin(*subject.images) & F.col("identity").isNotNull()
    rows = reduce(DataFrame.unionByName, versions).where(chosen).distinct().collect()
    return {image: sorted(row.identity for row in of) for image, of in _grouped(rows, "image_id").items()}


def _mostly(lake: Lake, chosen: Collection[tuple[str, int]]) -> dict[tuple[str, int], str]:
    """Return the name that more than half of the faces of a cluster are listed under, where there is one."""
    if not chosen or lake.current(tables.LISTING) is None:
        return {}
    clusters, faces, listed = (
        lake.read(table, lake.snapshot(table)) for table in (tables.CLUSTERS, tables.EMBEDDINGS, tables.LISTING)
    )
    wanted = F.col("cluster_id").isin(*{cluster for _scope, cluster in chosen})
    members = clusters.where(wanted).join(faces.select("face_id", "image_id"), "face_id")
    names = members.join(listed.select("image_id", "identity"), "image_id").where("identity IS NOT NULL")
    counts = names.groupBy("scope", "cluster_id", "cluster_size", "identity").count()
    most = counts.where(2 * F.col("count") > F.col("cluster_size")).collect()
    return {(row.scope, row.cluster_id): row.identity for row in most}


def _linked(lake: Lake, subject: Subject) -> tuple[int, int]:
    at = lake.current(tables.EDGES)
    if at is None:
        return 0, 0
    ends = [F.col(name).isin(*subject.faces) for name in ("src", "dst")]
    counts = lake.read(tables.EDGES, at).agg(F.count_if(ends[0] & ends[1]), F.count_if(ends[0] != ends[1])).collect()
    return int(counts[0][0]), int(counts[0][1])
