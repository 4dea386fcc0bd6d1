"""Who is who on the page: the labels of folders and clusters, and the names of images, of those that are shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from facesieve.assess.report_page.contract import Group, Image
from facesieve.assess.report_page.group_facts import GroupFacts
from facesieve.assess.report_page.run_tables import RunTables
from facesieve.assess.report_page.script_file import sheet_name
from facesieve.core.frames import broadcast_if_few


class Facts(NamedTuple):
    """A row of `GROUP_FACTS` that the page needs."""

    kind: str
    identity: str | None
    cluster: int | None
    number: int
    size: int
    medoid: int | None

    @property
    def id(self) -> str:
        """Return the id of the group on the page."""
        return f"{self.kind[0]}{self.number}"


@dataclass
class Wanted:
    """What a part of the page speaks of: images, faces, folders and clusters, by their ids."""

    images: set[int] = field(default_factory=set)
    faces: set[int] = field(default_factory=set)
    folders: set[str] = field(default_factory=set)
    clusters: set[int] = field(default_factory=set)

    def add(self, *, images: Iterable[int | None] = (), faces: Iterable[int | None] = ()) -> None:
        """Want images and faces; None is passed over."""
        self.images.update(each for each in images if each is not None)
        self.faces.update(each for each in faces if each is not None)

    def add_group(self, folder: str | None, cluster: int | None = None) -> None:
        """Want a folder and a cluster; None is passed over."""
        self.folders.update(() if folder is None else (folder,))
        self.clusters.update(() if cluster is None else (cluster,))


@dataclass(frozen=True)
class Directory:
    """The answers. named: names may be shown. sheets: ids of groups that have a contact sheet.

    pictures: image_id -> path in the report, of the pictures that there are.
    """

    named: bool
    folders: Mapping[str, Facts]
    clusters: Mapping[int, Facts]
    image_of: Mapping[int, int]
    uris: Mapping[int, str]
    sheets: frozenset[str] = frozenset()
    pictures: Mapping[int, str] = field(default_factory=dict)

    def folder(self, identity: str | None) -> Group | None:
        """Return a folder as the page names it."""
        facts = self.folders.get(identity) if identity is not None else None
        return self.group(facts) if facts else None

    def cluster(self, cluster: int | None) -> Group | None:
        """Return a cluster as the page names it."""
        facts = self.clusters.get(cluster) if cluster is not None else None
        return self.group(facts) if facts else None

    def group(self, facts: Facts) -> Group:
        """Return a group as the page names it."""
        label = label_of(facts.kind, facts.number, facts.identity if self.named else None)
        page = sheet_name(facts.id, 1) if facts.id in self.sheets else None
        return Group(facts.id, label, page, facts.size, self.named and facts.identity is not None)

    def image(self, image_id: int | None, face_id: int | None = None) -> Image | None:
        """Return an image as the page shows it."""
        if image_id is None:
            return None
        name = self.uris.get(image_id) if self.named else None
        return Image(str(image_id), None if face_id is None else str(face_id), name, self.pictures.get(image_id))

    def face(self, face_id: int | None) -> Image | None:
        """Return the image of a face; None of a face that is unknown."""
        return self.image(self.image_of.get(face_id), face_id) if face_id is not None else None


def label_of(kind: str, number: int, identity: str | None) -> str:
    """Name a group.

    >>> label_of("folder", 17, None), label_of("folder", 17, "Ann"), label_of("cluster", 5, None)
    ('folder 17', 'Ann', 'cluster 5')
    """
    return identity if identity is not None else f"{kind} {number}"


def facts_of(groups: GroupFacts, wanted: Wanted) -> tuple[dict[str, Facts], dict[int, Facts]]:
    """Collect the facts of the wanted folders and clusters."""
    spark = groups.sparkSession
    folders = spark.createDataFrame([(name,) for name in sorted(wanted.folders)], "identity string")
    clusters = spark.createDataFrame([(number,) for number in sorted(wanted.clusters)], "cluster bigint")
    rows = [
        *groups.where("kind = 'folder'")
        .join(F.broadcast(folders), "identity", "left_semi")
        .select(*Facts._fields)
        .collect(),
        *groups.where("kind = 'cluster'")
        .join(F.broadcast(clusters), "cluster", "left_semi")
        .select(*Facts._fields)
        .collect(),
    ]
    facts = [Facts(*row) for row in rows]
    of_folders = {each.identity: each for each in facts if each.identity is not None}
    return of_folders, {each.cluster: each for each in facts if each.cluster is not None}


def images_of(run: RunTables, faces: Iterable[int]) -> dict[int, int]:
    """Collect the image of each of these faces."""
    return dict(_matching(run.embeddings, "face_id", "image_id", faces))


def uris_of(run: RunTables, images: Iterable[int]) -> dict[int, str]:
    """Collect the uri of each of these images."""
    return dict(_matching(run.listing, "image_id", "uri", images))


def _matching(rows: DataFrame, key: str, value: str, ids: Iterable[int]) -> list[tuple[Any, Any]]:
    few = [(number,) for number in sorted(set(ids))]
    if not few:
        return []
    wanted = broadcast_if_few(rows.sparkSession.createDataFrame(few, f"{key} bigint"), len(few))
    return [(row[0], row[1]) for row in rows.join(wanted, key, how="left_semi").select(key, value).collect()]
