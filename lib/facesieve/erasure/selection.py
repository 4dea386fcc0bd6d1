"""Who is meant: the images that selectors choose in any version of the lake, with all that is known of them.

Byte-identical files are one image: if one of them is chosen, all are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import reduce
from operator import or_
from typing import NewType

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from facesieve.core import tables
from facesieve.core.console import count
from facesieve.core.errors import Refused
from facesieve.core.frames import columns
from facesieve.core.hidden_paths import PathSeal
from facesieve.core.tables import Table
from facesieve.erasure.selectors import Selectors
from facesieve.erasure.subject import Subject
from facesieve.images.hidden.hidden_uris import shown_uris
from facesieve.lake.catalog import Lake, Snapshot

ImagesEver = NewType("ImagesEver", DataFrame)
"""Images with what a version of a table says of them; an image is there several times."""
IMAGES_EVER = columns("image_id bigint, uri string, sha256 string, identity string")

_NAMES = (
    *((table, "identity") for table in (tables.LISTING, tables.DECISIONS, tables.CLEANED)),
    (tables.DECISIONS, "moved_to"),
)
WITH_IMAGES = (tables.LISTING, tables.EMBEDDINGS, tables.REJECTS, tables.DECISIONS, tables.CLEANED)
"""The tables that tell something of an image by its id."""


def subject_of(lake: Lake, selectors: Selectors, most: int, seal: PathSeal | None = None) -> Subject:
    """Find the subject. seal: what hides the paths of this lake. Raises Refused if it has more images than `most`."""
    every = _images_ever(lake)
    if every is None:
        return Subject()
    chosen = selectors.chooses() | F.col("image_id").isin(*_images_in(lake, selectors.cluster))
    rows = shown_uris(every, seal).where(chosen).distinct().collect()
    images, digests = _ids_in(rows), _digests_in(rows)
    again = _rows_of(every, images, digests)
    while (_ids_in(again), _digests_in(again)) != (images, digests):
        images, digests = _ids_in(again), _digests_in(again)
        again = _rows_of(every, images, digests)
    refuse_too_many(len(images), most)
    return _subject(lake, again, images, seal)


def of_images(lake: Lake, images: Collection[int], seal: PathSeal | None = None) -> Subject:
    """Return all that is known of images, whatever copies there are of them."""
    every = _images_ever(lake)
    return Subject() if every is None else _subject(lake, _rows_of(every, images), set(images), seal)


def _rows_of(every: ImagesEver, images: Collection[int], digests: Collection[str] = ()) -> list[Row]:
    """Return all that is told of images, and of those that have such a content."""
    wanted = F.col("image_id").isin(*images) | F.col("sha256").isin(*digests)
    return every.where(wanted).distinct().collect()


def _ids_in(rows: Sequence[Row]) -> set[int]:
    return {row.image_id for row in rows if row.image_id is not None}


def _digests_in(rows: Sequence[Row]) -> set[str]:
    return {row.sha256 for row in rows if row.sha256}


def _subject(lake: Lake, again: Sequence[Row], images: set[int], seal: PathSeal | None) -> Subject:
    """Tell all of it; of a hidden path also the path, which exports and the source have."""
    faces, uris = _faces(lake, images), {row.uri for row in again if row.uri}
    return Subject(
        images=tuple(sorted(images)),
        faces=tuple(faces),
        uris=_sorted((*uris, *(seal.show(uri) for uri in uris if seal))),
        digests=_sorted(row.sha256 for row in again),
        names=_vanishing(lake, {row.identity for row in again if row.identity}, images),
        vectors=tuple(vector for vectors in faces.values() for vector in vectors),
    )


def refuse_too_many(images: int, most: int, check: str = "Check the selectors") -> None:
    """Raise Refused if a subject has more images than `most`. check: what people look at first."""
    if images > most:
        raise Refused(
            f"{count(images)} images are chosen, more than erase.max_images ({most}). Nothing was changed. {check}, or "
            "raise erase.max_images."
        )


def tips(lake: Lake, table: Table) -> list[Snapshot]:
    """Return the versions of an appended table that together have all its rows: those without a later one."""
    versions = lake.versions(table)
    parents = {each.parent for each in versions}
    return [each for each in versions if each.id not in parents]


def _images_ever(lake: Lake) -> ImagesEver | None:
    frames = [
        _as_image(lake.read(table, version), table)
        for table in WITH_IMAGES
        if lake.current(table) is not None
        for version in _versions(lake, table)
    ]
    return ImagesEver(reduce(DataFrame.unionByName, frames)) if frames else None


def _versions(lake: Lake, table: Table) -> Sequence[Snapshot]:
    appended = table in (tables.EMBEDDINGS, tables.REJECTS)
    return tips(lake, table) if appended else lake.versions(table)


def _as_image(rows: DataFrame, table: Table) -> DataFrame:
    """Return the columns of IMAGES_EVER; an image that is moved bears the name that it is moved to."""
    named = rows.withColumn("identity", F.coalesce("moved_to", "identity")) if table is tables.DECISIONS else rows
    columns = (name if name in named.columns else F.lit(None).cast("string").alias(name) for name in IMAGES_EVER.names)
    return named.select(*columns)


def _images_in(lake: Lake, clusters: Sequence[int]) -> set[int]:
    """Return the images with a face in clusters, as these are now."""
    at = lake.current(tables.CLUSTERS)
    if not clusters or at is None:
        return set()
    rows = lake.read(tables.CLUSTERS, at).where(F.col("cluster_id").isin(*clusters))
    embedded = lake.read(tables.EMBEDDINGS, lake.snapshot(tables.EMBEDDINGS)).select("face_id", "image_id")
    return {row.image_id for row in embedded.join(rows, "face_id", how="left_semi").collect()}


def _faces(lake: Lake, images: set[int]) -> dict[int, set[tuple[float, ...]]]:
    """Return the faces of images, ascending, with their vectors: of the last digits there may be several."""
    if lake.current(tables.EMBEDDINGS) is None or not images:
        return {}
    faces: dict[int, set[tuple[float, ...]]] = {}
    for version in tips(lake, tables.EMBEDDINGS):
        rows = lake.read(tables.EMBEDDINGS, version).where(F.col("image_id").isin(*images))
        for row in rows.select("face_id", "vector").collect():
            faces.setdefault(row.face_id, set()).add(tuple(row.vector or ()))
    return dict(sorted(faces.items()))


def _vanishing(lake: Lake, names: set[str], images: set[int]) -> tuple[str, ...]:
    """Return the names that no other image bears, as the lake stands now."""
    staying = set[str]()
    for table, name in _NAMES:
        at = lake.current(table)
        if at is not None and names:
            others = lake.read(table, at).where(F.col(name).isin(*names) & ~F.col("image_id").isin(*images))
            staying |= {row[name] for row in others.select(name).distinct().collect()}
    return tuple(sorted(names - staying))


def longer_names(lake: Lake, names: Collection[str]) -> set[str]:
    """Return the names of others, as the lake stands now, that have one of these names inside."""
    longer = set[str]()
    for table, column in _NAMES:
        at = lake.current(table)
        if at is not None and names:
            inside = reduce(or_, (F.col(column).contains(F.lit(name)) for name in names))
            rows = lake.read(table, at).where(inside & ~F.col(column).isin(*names)).select(column).distinct()
            longer |= {row[column] for row in rows.collect()}
    return longer


def _sorted(values: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(sorted({each for each in values if each}))
