"""Contact sheets of folders and clusters, written by the tasks, page by page: core, border, then what is not kept."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Any, NewType

import pyarrow as pa
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from facesieve.assess.report_page.contract import Group, Image, Member, Mode, Sheet
from facesieve.assess.report_page.destination import picture_path, write_data
from facesieve.assess.report_page.group_facts import GroupFacts
from facesieve.assess.report_page.looked_at import LookedAt
from facesieve.assess.report_page.run_tables import RunTables
from facesieve.assess.report_page.scores import cosine_of
from facesieve.assess.report_page.script_file import sheet_name
from facesieve.core.frames import columns, many_tasks
from facesieve.core.reasons import is_published
from facesieve.images.storage import Storage

Chosen = NewType("Chosen", DataFrame)
"""Groups that get a sheet, with the columns of CHOSEN."""

CHOSEN = columns("sheet string, kind_of_sheet string, label string, identity string, cluster bigint")

Members = NewType("Members", DataFrame)
"""One row per image of a sheet, in the order of `place`: what `_member` reads."""

References = NewType("References", DataFrame)
"""identity or cluster, and `ref`: the fields of `Group`, of every folder and cluster."""

_COPIES = 12
"""Copies of an image that are stacked on it."""
_WRITTEN = "sheets bigint, bytes bigint"
_IS_COPY = "kind = 'duplicate'"


@dataclass(frozen=True)
class SheetStyle:
    """How sheets are written. per_page: images of a page. names: uris may be shown. pictures: images that have one."""

    per_page: int
    names: bool
    pictures: frozenset[int] = frozenset()

    def picture(self, image_id: int) -> str | None:
        """Return where the picture of an image is; None without one."""
        return picture_path(image_id) if image_id in self.pictures else None


def references(groups: GroupFacts, sheets: Chosen, *, names: bool) -> References:
    """Name every folder and cluster as the page does; only those of `sheets` have a page."""
    id_ = F.concat(F.substring("kind", 1, 1), F.col("number").cast("string"))
    named = F.lit(names) & F.col("identity").isNotNull()
    plain = F.concat_ws(" ", "kind", F.col("number").cast("string"))
    paged = F.broadcast(sheets.select(F.col("sheet").alias("id"), F.concat(F.lit("group-"), "sheet").alias("page")))
    rows = groups.withColumns({"id": id_, "named": named, "label": F.when(named, F.col("identity")).otherwise(plain)})
    ref = F.struct("id", "label", "page", "size", "named").alias("ref")
    return References(rows.join(paged, "id", how="left").select("identity", "cluster", ref))


def members(images: LookedAt, chosen: Chosen, references: References, run: RunTables) -> Members:
    """Put the images of the chosen groups in order: by mode, the largest first, by cosine to the medoid of the mode.

    What was dropped follows at the end, but for copies: they are stacked on the image that they are copies of.
    images: persisted; chosen: few rows. The frame is not persisted.
    """
    few = F.broadcast(chosen)
    in_folders = images.join(few.where("kind_of_sheet = 'folder'").drop("cluster"), "identity", how="inner")
    in_clusters = images.join(few.where("kind_of_sheet = 'cluster'").drop("identity"), "cluster", how="inner")
    both = in_folders.withColumn("part", F.col("mode")).unionByName(
        in_clusters.withColumn("part", F.xxhash64("identity"))
    )
    stacked = both.join(_keepers(images), "kept_image_id", how="left")
    apart = F.coalesce(F.col("keeper_identity").eqNullSafe(F.col("identity")) & F.expr(_IS_COPY), F.lit(False))
    shown = stacked.where(~apart).drop("keeper_identity").join(_copies(images), "image_id", how="left")
    return _ordered(_with_references(_with_cosine(shown, run), references))


def write_sheets(rows: Members, target: Storage, style: SheetStyle) -> tuple[int, int]:
    """Write the data files of all sheets; return how many there are, and their bytes."""
    spread = rows.repartition(many_tasks(rows.sparkSession), "sheet").sortWithinPartitions("sheet", "place")
    written = spread.mapInArrow(partial(_write, target=target, style=style), _WRITTEN).collect()
    return sum(row["sheets"] for row in written), sum(row["bytes"] for row in written)


def _keepers(images: LookedAt) -> DataFrame:
    return images.select(F.col("image_id").alias("kept_image_id"), F.col("identity").alias("keeper_identity"))


def _copies(images: LookedAt) -> DataFrame:
    copies = images.where(_IS_COPY).where(F.col("kept_image_id").isNotNull())
    place = F.row_number().over(Window.partitionBy("kept_image_id").orderBy("image_id"))
    few = copies.withColumn("number", place).where(F.col("number") <= _COPIES)
    stacks = few.groupBy("kept_image_id").agg(
        F.sort_array(F.collect_list(F.struct("image_id", "face_id", "uri"))).alias("copies")
    )
    return stacks.withColumnRenamed("kept_image_id", "image_id")


def _with_cosine(rows: DataFrame, run: RunTables) -> DataFrame:
    """Add the cosine of each face to the medoid of its mode (of its cluster, on the sheet of a cluster)."""
    vectors = run.embeddings.select("face_id", "vector")
    medoids = run.clusters.where("medoid").select(F.col("scope").alias("of_scope"), "cluster_id", "face_id")
    scope = F.when(F.col("kind_of_sheet") == "cluster", F.lit("global")).otherwise(F.lit(run.scopes[0]))
    own = F.when(F.col("kind_of_sheet") == "cluster", F.col("cluster")).otherwise(F.col("mode"))
    named = rows.withColumns({"of_scope": scope, "cluster_id": own})
    with_medoid = named.join(
        medoids.withColumnRenamed("face_id", "medoid_face"), ["of_scope", "cluster_id"], how="left"
    )
    centre = vectors.select(F.col("face_id").alias("medoid_face"), F.col("vector").alias("centre"))
    joined = with_medoid.join(vectors, "face_id", how="left").join(centre, "medoid_face", how="left")
    measured = joined.withColumn("to_medoid", cosine_of("vector", "centre"))
    return measured.drop("vector", "centre", "cluster_id", "of_scope")


def _with_references(rows: DataFrame, references: References) -> DataFrame:
    """Add the group that a mode stands for (a cluster on the sheet of a folder, else a folder), and the target."""
    folders = references.where("identity IS NOT NULL").select("identity", F.col("ref").alias("folder_group"))
    clusters = references.where("cluster IS NOT NULL").select("cluster", F.col("ref").alias("cluster_group"))
    targets = folders.select(F.col("identity").alias("moved_to"), F.col("folder_group").alias("target_group"))
    joined = rows.join(folders, "identity", how="left").join(clusters, "cluster", how="left")
    of_folder = F.col("kind_of_sheet") == "folder"
    group = F.when(of_folder, F.col("cluster_group")).otherwise(F.col("folder_group"))
    return joined.join(targets, "moved_to", how="left").withColumn("part_group", group)


def _ordered(rows: DataFrame) -> Members:
    """Number the images of a sheet: modes by size, in each by cosine; then those that are not published."""
    mode = Window.partitionBy("sheet", "part")
    published = F.coalesce(is_published(F.col("verdict")), F.lit(False))
    sized = rows.withColumns({"published": published, "mode_size": F.count_if(published).over(mode)})
    whole = Window.partitionBy("sheet")
    order = (F.desc("published"), F.desc("mode_size"), "part", F.desc_nulls_last("to_medoid"), "image_id")
    numbered = sized.withColumns(
        {"place": F.row_number().over(whole.orderBy(*order)), "total": F.count("*").over(whole)}
    )
    return Members(numbered)


def _write(batches: Iterable[pa.RecordBatch], target: Storage, style: SheetStyle) -> Iterator[pa.RecordBatch]:
    rows = (row for batch in batches for row in batch.to_pylist())
    count = size = 0
    for _, group in groupby(rows, key=lambda row: row["sheet"]):
        for page, several in enumerate(_cut(group, style.per_page), 1):
            sheet = _sheet(several, page, style)
            size += write_data(target, sheet_name(sheet.id, page), sheet)
        count += 1
    yield pa.record_batch({"sheets": pa.array([count], pa.int64()), "bytes": pa.array([size], pa.int64())})


def _cut(rows: Iterable[dict[str, Any]], length: int) -> Iterator[list[dict[str, Any]]]:
    page: list[dict[str, Any]] = []
    for row in rows:
        page.append(row)
        if len(page) == length:
            yield page
            page = []
    if page:
        yield page


def _sheet(rows: list[dict[str, Any]], page: int, style: SheetStyle) -> Sheet:
    first = rows[0]
    shown = groupby((row for row in rows if row["published"]), key=lambda row: row["part"])
    modes = [_mode(list(several), style) for _, several in shown]
    dropped = [_member(row, style) for row in rows if not row["published"]]
    pages = math.ceil(first["total"] / style.per_page)
    return Sheet(first["sheet"], first["kind_of_sheet"], first["label"], pages, page, modes, dropped)


def _mode(rows: list[dict[str, Any]], style: SheetStyle) -> Mode:
    return Mode(_group(rows[0]["part_group"]), [_member(row, style) for row in rows])


def _member(row: Mapping[str, Any], style: SheetStyle) -> Member:
    return Member(
        image_id=str(row["image_id"]),
        face_id=None if row["face_id"] is None else str(row["face_id"]),
        name=row["uri"] if style.names else None,
        picture=style.picture(row["image_id"]),
        verdict=row["verdict"],
        reasons=row["reasons"],
        cosine=row["to_medoid"],
        confidence=row["confidence"],
        copies=[_copy(each, style) for each in row["copies"] or ()],
        at=row["modified"],
        moved_to=_group(row["target_group"]),
    )


def _copy(copy: Mapping[str, Any], style: SheetStyle) -> Image:
    face = None if copy["face_id"] is None else str(copy["face_id"])
    return Image(str(copy["image_id"]), face, copy["uri"] if style.names else None, style.picture(copy["image_id"]))


def _group(group: Mapping[str, Any] | None) -> Group | None:
    return Group(**group) if group else None
