"""Pairs of contact sheets that ask who is the same: identity links, and clusters that were split or merged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pyspark.sql import Window
from pyspark.sql import functions as F

from facesieve.assess.report_page.changes import ClusterChanges, Part
from facesieve.assess.report_page.contract import Group, Image, Pair
from facesieve.assess.report_page.directory import Directory, Wanted
from facesieve.assess.report_page.looked_at import LookedAt
from facesieve.assess.report_page.queue import Draft
from facesieve.core.frames import columns

PER_PAGE = 50
"""Pairs of a data file."""
SHOWN = 6
"""Images of a side."""

Sides = Mapping[str, Sequence[tuple[int, int | None]]]
"""Folder -> image_id and face_id of the images that stand for it, the surest first."""

_FEW = columns("identity string, image_id bigint, face_id bigint, place int")


def sides(images: LookedAt, links: Sequence[Draft]) -> Sides:
    """Choose the images that stand for each folder of a link: of its largest mode, the surest first."""
    names = sorted({name for draft in links for name in (draft.folder, draft.target) if name is not None})
    if not names:
        return {}
    wanted = F.broadcast(images.sparkSession.createDataFrame([(name,) for name in names], "identity string"))
    place = F.row_number().over(Window.partitionBy("identity").orderBy(F.desc("main"), "wrong", "image_id"))
    present = images.where("face_id IS NOT NULL").join(wanted, "identity", how="left_semi")
    few = present.withColumn("place", place).where(F.col("place") <= SHOWN).select(*_FEW.names)
    chosen: dict[str, list[tuple[int, int | None]]] = {}
    for row in sorted(few.collect(), key=lambda row: (row["identity"], row["place"])):
        chosen.setdefault(row["identity"], []).append((row["image_id"], row["face_id"]))
    return chosen


def want(links: Sequence[Draft], chosen: Sides, changes: ClusterChanges, wanted: Wanted) -> None:
    """Say what the pairs speak of."""
    for draft in links:
        draft.want(wanted)
    wanted.add(images=[image for side in chosen.values() for image, _ in side])
    for pair in (*changes.splits, *changes.merges):
        for part in pair:
            wanted.add(faces=part.faces)
            wanted.add_group(None, part.now)


def pairs(links: Sequence[Draft], chosen: Sides, changes: ClusterChanges, directory: Directory) -> list[Pair]:
    """Make the pairs: links in the order of the queue, then splits, then merges."""
    linked = [pair for draft in links if (pair := _link(draft, chosen, directory))]
    split = [pair for parts in changes.splits if (pair := _split(parts, directory))]
    merged = [pair for parts in changes.merges if (pair := _merged(parts, directory))]
    return [*linked, *split, *merged]


def _link(draft: Draft, chosen: Sides, directory: Directory) -> Pair | None:
    a, b = directory.folder(draft.target), directory.folder(draft.folder)
    if a is None or b is None:
        return None
    sheets = [_images(chosen.get(name or "", ()), directory) for name in (draft.target, draft.folder)]
    plain = draft.plain or {}
    values = {name: plain.get(name) for name in ("cosine", "share", "confidence")}
    return Pair(f"identity_link-{a.id}-{b.id}", "identity_link", a, b, sheets[0], sheets[1], **values)


def _split(parts: tuple[Part, Part], directory: Directory) -> Pair | None:
    a, b = (directory.cluster(part.now) for part in parts)
    if a is None or b is None:
        return None
    return Pair(f"split-{a.id}-{b.id}", "split", a, b, _faces(parts[0], directory), _faces(parts[1], directory))


def _merged(parts: tuple[Part, Part], directory: Directory) -> Pair | None:
    """Both are parts of one cluster of this run; the second is named for the former cluster."""
    a = directory.cluster(parts[0].now)
    if a is None:
        return None
    b = Group(f"{a.id}-former", "former cluster", None, parts[1].shared, named=False)
    return Pair(f"merged-{a.id}", "merged", a, b, _faces(parts[0], directory), _faces(parts[1], directory))


def _images(side: Sequence[tuple[int, int | None]], directory: Directory) -> list[Image]:
    return [image for each in side if (image := directory.image(*each))]


def _faces(part: Part, directory: Directory) -> list[Image]:
    return [image for face in part.faces if (image := directory.face(face))]
