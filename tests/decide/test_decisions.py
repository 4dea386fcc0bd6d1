"""Every rule once, by hand; then many images at random against an oracle that knows no Spark."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from functools import cached_property
from typing import Any

import numpy as np
import pytest
from deciding import Face, Photo, inputs
from pyspark.sql import SparkSession

from facesieve.core.sections import Decide
from facesieve.core.tables import DECISIONS
from facesieve.decide.decisions import decisions
from facesieve.decide.inputs import Basis
from facesieve.faces.vectors import medoid, pair_cosine

CLOSE = Decide().close_share
EAST, NORTH, NEAR_EAST = (1.0, 0.0), (0.0, 1.0), (0.98, 0.199)


def folder(name: str | None, clusters: dict[int, int], prefix: str | None = None) -> list[Photo]:
    """Photographs of one folder: cluster id -> how many; all faces alike."""
    sizes = [cluster for cluster, size in clusters.items() for _ in range(size)]
    return [
        Photo(f"{prefix or name}/{i}.jpg", name, (Face(identity=cluster if name else None, in_global=cluster),))
        for i, cluster in enumerate(sizes)
    ]


def decide(spark: SparkSession, photos: list[Photo], scope: str, min_faces: int = 3, **how: Any) -> dict[str, Any]:
    outcome = decisions(inputs(spark, photos, **how), Basis(Decide(min_faces=min_faces), scope))
    assert outcome.rows.columns == DECISIONS.columns.names
    rows = outcome.rows.collect()
    assert len(rows) == len(photos)
    return {row.uri: row for row in rows}


def verdicts(rows: dict[str, Any], prefix: str) -> list[str]:
    """`verdict reason reason`, by uri, of the images below a prefix."""
    return [" ".join([rows[uri].verdict, *rows[uri].reasons]) for uri in sorted(rows) if uri.startswith(prefix + "/")]


def copies(prefix: str, content: str, *identities: str | None) -> list[Photo]:
    photos = []
    for i, name in enumerate(identities):
        face = Face(identity=None if name is None else 1, in_global=1)
        photos.append(Photo(f"{prefix}/{i}.jpg", name, (face,), content=content))
    return photos


FAILS = [
    Photo("fail/broken.jpg", "fail", (), reject="undecodable"),
    Photo("fail/empty.jpg", "fail", ()),
    Photo("fail/rejected-with-face.jpg", "fail", (Face(identity=1), Face(identity=1, rank=1)), reject="too_large"),
    Photo("fail/nameless.jpg", None, (), reject="wrong_type"),
]
UNREAD = [Photo(f"unread/{i}.jpg", "unread", (Face(identity=1),), content="") for i in range(3)]  # no duplicates
DOUBTS = [
    Photo(f"doubts/{i}.jpg", "doubts", (Face(identity=1, doubts=doubts),))
    for i, doubts in enumerate([("small_box", "blurred"), (), ()])
]
HALF_FAILED = [  # a copy that failed makes neither two identities nor a duplicate
    Photo("half/0.jpg", "half", (), content="half", reject="undecodable"),
    Photo("half/1.jpg", "other half", (Face(identity=9),), content="half"),
]
TWO_FACES = [
    *(Photo(f"two/{i}.jpg", "two", (Face(EAST, identity=1),)) for i in range(3)),
    Photo("two/a.jpg", "two", (Face(NORTH, identity=2), Face(NEAR_EAST, identity=1, rank=1))),
    Photo("two/b.jpg", "two", (Face(NEAR_EAST, identity=2), Face(NEAR_EAST, identity=1, rank=1))),
]
NAMELESS_FACES = [
    *(Photo(f"faces/{i}.jpg", None, (Face(in_global=30),)) for i in range(3)),
    Photo("faces/a.jpg", None, (Face(in_global=31), Face(in_global=30, rank=1))),
]
CASES = {
    "fail": (FAILS, ["fail undecodable", "fail undecodable", "fail wrong_type", "fail too_large"]),
    "unread": (UNREAD, ["keep"] * 3),
    "half": (HALF_FAILED, ["fail undecodable", "drop identity_too_small"]),
    "doubts": (DOUBTS, ["keep blurred small_box", "keep", "keep"]),
    "large": (folder("large", {1: 3, 2: 2}), ["keep"] * 3 + ["drop outlier"] * 2),
    "small": (folder("small", {1: 2, 2: 1}), ["drop identity_too_small"] * 3),
    "tied": (folder("tied", {1: 3, 2: 3, 3: 1}), ["quarantine close_modes"] * 6 + ["drop outlier"]),
    "tied small": (folder("tied small", {1: 2, 2: 2}), ["drop identity_too_small"] * 4),
    "lost": ([Photo("lost/0.jpg", "lost", (Face(),))], ["quarantine unclustered"]),
    "copies": (
        [*copies("copies", "same", "copies", "copies"), *folder("copies", {1: 1, 2: 2}, "copies/more")],
        ["drop identity_too_small", "drop duplicate", *["drop identity_too_small"] * 3],
    ),
    "names": (copies("names", "named", "name a", "name b", None, "name a"), ["quarantine two_identities"] * 4),
    "null": (copies("null", "nulled", "null", None), ["drop identity_too_small", "drop duplicate"]),
    "doubtful": (  # an image under two identities makes no folder large enough
        [*copies("doubtful", "d", "doubtful", "elsewhere"), *folder("doubtful", {1: 2}, "doubtful/more")],
        ["quarantine two_identities"] * 2 + ["drop identity_too_small"] * 2,
    ),
    "two": (TWO_FACES, ["keep"] * 4 + ["drop outlier"]),
    "faces": (NAMELESS_FACES, ["keep"] * 3 + ["quarantine unclustered"]),
    "global": (folder(None, {10: 3, 11: 2}, "global"), ["keep"] * 3 + ["quarantine unclustered"] * 2),
    "mixed": (  # in the scope global, faces with an identity make a cluster large too
        [*folder("mixed", {20: 2}), *folder(None, {20: 1}, "mixed/nameless")],
        ["drop identity_too_small"] * 2 + ["keep"],
    ),
}


@pytest.fixture(scope="module")
def both(spark: SparkSession) -> dict[str, Any]:
    gone = [Photo("gone/0.jpg", "large", (Face(identity=2),)), Photo("gone/1.jpg", "large", (), reject="empty")]
    return decide(spark, [photo for photos, _ in CASES.values() for photo in photos], "both", gone=gone)


@pytest.mark.parametrize("name", CASES)
def test_each_rule(both: dict[str, Any], name: str) -> None:
    assert verdicts(both, name) == CASES[name][1]


def test_what_a_row_tells(both: dict[str, Any]) -> None:
    inlier, outlier, failed = both["large/0.jpg"], both["large/3.jpg"], both["fail/broken.jpg"]
    assert (inlier.cluster_scope, inlier.cluster_id, inlier.moved_to, inlier.confidence) == ("identity", 1, None, None)
    assert (outlier.cluster_id, outlier.evidence.share, outlier.evidence.margin) == (2, np.float32(0.4), None)
    others = [both[f"large/{i}.jpg"].face_id for i in range(3)]
    assert outlier.evidence.nearest_face == min(others)
    assert inlier.evidence.nearest_face == min(face for face in others if face != inlier.face_id)
    assert (inlier.evidence.cosine, inlier.evidence.share) == (1.0, np.float32(0.6))
    assert (failed.face_id, failed.cluster_scope, failed.cluster_id, failed.evidence) == (None, None, None, None)
    assert both["small/0.jpg"].evidence == (None, None, np.float32(2 / 3), None)
    nameless = both["global/0.jpg"]
    assert (nameless.cluster_scope, nameless.cluster_id, nameless.evidence.share, nameless.evidence.cosine) == (
        "global",
        10,
        None,
        1.0,
    )
    assert (both["lost/0.jpg"].cluster_scope, both["lost/0.jpg"].face_id is not None) == (None, True)


def test_a_duplicate_points_at_the_copy_that_counts(both: dict[str, Any]) -> None:
    kept_by = {uri: row.kept_image_id for uri, row in both.items() if row.kept_image_id is not None}
    assert kept_by == {
        "copies/1.jpg": both["copies/0.jpg"].image_id,
        "null/1.jpg": both["null/0.jpg"].image_id,
    }


def test_the_face_nearest_to_the_medoid_speaks_and_then_the_smaller_rank(both: dict[str, Any]) -> None:
    a, b = TWO_FACES[3:]
    assert both[a.uri].face_id == a.face_id(a.faces[1])
    assert both[b.uri].face_id == b.face_id(b.faces[0])


def test_link_scope_global_judges_folders_by_global_clusters_within_them(spark: SparkSession) -> None:
    photos = [*folder("a", {1: 3, 2: 1}), *folder("b", {2: 9}), *folder(None, {2: 1}, "c")]
    stale = [
        Photo(photo.uri, photo.identity, (Face(in_global=photo.faces[0].in_global, identity=5),)) for photo in photos
    ]
    rows = decide(spark, stale, "global")
    assert verdicts(rows, "a") == ["keep"] * 3 + ["quarantine flip"]
    assert verdicts(rows, "b") + verdicts(rows, "c") == ["keep"] * 10
    assert {row.cluster_scope for row in rows.values()} == {"global"}


def test_link_scope_identity_cannot_judge_an_image_without_an_identity(spark: SparkSession) -> None:
    rows = decide(spark, [*folder("a", {1: 3}), *folder(None, {1: 3}, "b")], "identity")
    assert verdicts(rows, "a") == ["keep"] * 3
    assert verdicts(rows, "b") == ["quarantine unclustered"] * 3
    assert {row.cluster_scope for uri, row in rows.items() if uri.startswith("b")} == {None}


def random_photos(seed: int, count: int) -> list[Photo]:
    draw = random.Random(seed)
    photos = []
    for i in range(count):
        name = draw.choice([*"ABCDEFGH", None])
        faces = tuple(
            Face(
                tuple(draw.choice([-1.0, -0.3, 0.0, 0.5, 1.0]) for _ in range(4)),
                None if name is None else ord(name) * 10 + draw.choice([0, 0, 0, 1, 2]),
                draw.randrange(6),
                draw.choice([(), ("small_box",), ("blurred", "low_confidence")]),
                rank,
            )
            for rank in range(draw.choice([0, 1, 1, 1, 2, 3]))
        )
        content = draw.choice([None, None, f"shared {draw.randrange(count // 5)}"])
        reject = None if faces else draw.choice([None, "undecodable", "empty"])
        photos.append(Photo(f"{name}/{draw.randrange(10**6)}-{i}.jpg", name, faces, content, reject))
    return photos


class Oracle:
    """The rules once more, in plain Python, for link scope `both`."""

    def __init__(self, photos: list[Photo], min_faces: int) -> None:
        self.photos, self.min_faces = photos, min_faces
        self.alive = [photo for photo in photos if photo.faces]
        self.copies = defaultdict(list)
        for photo in self.alive:
            self.copies[photo.sha256].append(photo)
        self.open = [photo for photo in self.alive if self.early(photo) is None]

    def early(self, photo: Photo) -> str | None:
        if not photo.faces:
            return photo.reject or "undecodable"
        group = self.copies[photo.sha256]
        if len({copy.identity for copy in group} - {None}) > 1:
            return "two_identities"
        return None if min(group, key=lambda copy: copy.uri.encode()) is photo else "duplicate"

    def sizes(self, name: str | None) -> Counter[int | None]:
        key = "in_global" if name is None else "identity"
        photos = [photo for photo in self.open if name in (None, photo.identity)]
        return Counter(cluster for p in photos for cluster in {getattr(face, key) for face in p.faces})

    def largest(self, name: str | None) -> tuple[list[int | None], int]:
        sizes = self.sizes(name)
        top = max(sizes.values(), default=0)
        every = {face.identity for p in self.alive if p.identity == name for face in p.faces}
        return sorted((cluster for cluster in every if sizes[cluster] == top), key=lambda cluster: cluster or 0), top

    def speaker(self, photo: Photo) -> Face:
        if photo.identity is None:
            return photo.faces[0]
        main = self.largest(photo.identity)[0][0]
        faces = [(p.face_id(f), f) for p in self.alive if p.identity == photo.identity for f in p.faces]
        members = [(face_id, face.vector) for face_id, face in faces if face.identity == main]
        ids, vectors = np.array([m[0] for m in members]), np.array([m[1] for m in members], np.float32)
        middle = vectors[[medoid(ids, vectors)]]
        return min(photo.faces, key=lambda f: (-pair_cosine(np.array([f.vector], np.float32), middle)[0], f.rank))

    def of_folder(self, photo: Photo) -> str | None:
        face = self.speaker(photo)
        if photo.identity is None:
            return None if self.sizes(None)[face.in_global] >= self.min_faces else "unclustered"
        sizes = self.sizes(photo.identity)
        top = self.largest(photo.identity)[1]
        if top < self.min_faces:
            return "identity_too_small"
        close = [cluster for cluster, size in sizes.items() if size >= CLOSE * top]
        if face.identity not in close:
            return "outlier"
        return "close_modes" if len(close) > 1 else None

    def main_cluster(self, name: str | None) -> tuple[int, int] | None:
        """The global cluster of most of the speaking faces in the main cluster, and how many of them are in it."""
        main = self.largest(name)[0][0]
        speakers = [self.speaker(photo) for photo in self.open if photo.identity == name]
        clusters = Counter(face.in_global or 0 for face in speakers if face.identity == main)
        return min(clusters.items(), key=lambda item: (-item[1], item[0])) if clusters else None

    @cached_property
    def owners(self) -> dict[int, str]:
        names = {photo.identity for photo in self.open if photo.identity is not None}
        mains = {name: self.main_cluster(name) for name in names}
        ranked = sorted((-main[1], name, main[0]) for name, main in mains.items() if main and main[1] >= 3)
        first = {cluster: name for _, name, cluster in reversed(ranked)}
        return {cluster: name for cluster, name in first.items() if self.largest(name)[1] >= self.min_faces}

    def late(self, photo: Photo) -> str | None:
        if photo.identity is not None:
            main, cluster = self.main_cluster(photo.identity), self.speaker(photo).in_global
            if (main is None or cluster != main[0]) and self.owners.get(cluster or 0, photo.identity) != photo.identity:
                return "flip"
        return self.of_folder(photo)

    def reasons(self, photo: Photo) -> list[str]:
        own = self.early(photo) or self.late(photo)
        return [*([own] if own else []), *sorted(self.speaker(photo).doubts if photo.faces else ())]

    def verdict(self, photo: Photo) -> str:
        if not photo.faces:
            return "fail"
        reason = self.early(photo) or self.late(photo)
        doubt = ("two_identities", "close_modes", "unclustered", "flip")
        return "keep" if reason is None else "quarantine" if reason in doubt else "drop"

    def nearest(self, photo: Photo) -> tuple[int, float] | None:
        def people(other: Photo) -> tuple[str | None, int | None]:
            return other.identity, None if other.identity else self.speaker(other).in_global

        near = [p for p in self.open if p is not photo and self.of_folder(p) is None and people(p) == people(photo)]
        if not near:
            return None
        mine = np.array([self.speaker(photo).vector], np.float32)
        scored = [(pair_cosine(mine, np.array([self.speaker(p).vector], np.float32))[0], p) for p in near]
        cosine, best = min(scored, key=lambda pair: (-pair[0], pair[1].face_id(self.speaker(pair[1]))))
        return best.face_id(self.speaker(best)), float(cosine)


RANDOM = random_photos(1, 240)


@pytest.fixture(scope="module")
def drawn(spark: SparkSession) -> dict[str, Any]:
    return decide(spark, RANDOM, "both", min_faces=6)


def test_random_images_are_decided_as_the_oracle_decides_them(drawn: dict[str, Any]) -> None:
    oracle = Oracle(RANDOM, 6)
    assert {"keep", "drop", "quarantine", "fail"} == {row.verdict for row in drawn.values()}
    assert {"flip", "close_modes", "outlier"} <= {row.reasons[0] for row in drawn.values() if row.reasons}
    for photo in RANDOM:
        row = drawn[photo.uri]
        assert (row.verdict, row.reasons) == (oracle.verdict(photo), oracle.reasons(photo)), photo
        if photo.faces:
            assert row.face_id == photo.face_id(oracle.speaker(photo))
            assert (row.evidence.nearest_face, row.evidence.cosine) == (oracle.nearest(photo) or (None, None))


def test_partitions_order_and_adaptive_execution_change_nothing(spark: SparkSession, drawn: dict[str, Any]) -> None:
    spark.conf.set("spark.sql.adaptive.enabled", "false")
    try:
        assert decide(spark, RANDOM[::-1], "both", min_faces=6, partitions=5) == drawn
    finally:
        spark.conf.set("spark.sql.adaptive.enabled", "true")
