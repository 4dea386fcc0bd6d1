"""Near duplicates against the plain rules: which pairs count, which image is better, who follows whom."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pyspark.sql import Row, SparkSession
from pyspark.sql import functions as F

from facesieve.core.sections import Decide
from facesieve.core.tables import EDGES, Edges
from facesieve.decide.near_duplicates import CANDIDATES, NEAR_DUPLICATES, Candidates, Compare, near_duplicates
from facesieve.decide.photographs import CandidatePairs, ComparedPairs
from facesieve.embed.perceptual_hash import FACE_BYTES, VIEW_BYTES

COSINE, BITS = 0.875, 10
SETTINGS = Decide(near_cosine=COSINE, near_bits=BITS, near_face_bits=BITS)

Image = dict[str, Any]
Edge = tuple[str, int, int, float, None]


def hashed(*bits: int, views: int = 1) -> bytes:
    """Views in which the given bits of the first are set; the others are far from everything."""
    whole = np.zeros(256, np.uint8)
    whole[list(bits)] = 1
    other = np.tile(np.arange(256, dtype=np.uint8) % 2, views - 1)
    return np.packbits(np.concatenate([whole, other])).tobytes()


def image(number: int, **changed: Any) -> Image:
    """One face of its own image: face 10, 20, ... of image 1, 2, ..."""
    row: Image = {
        "image_id": number,
        "face_id": number * 10,
        "uri": f"{number}.jpg",
        "identity": "a",
        "image_width": 100,
    }
    hashes = {"phash": hashed(), "face_phash": None, "turned_phash": None}
    return row | {"image_height": 100, "sharpness": 1.0, "preferred": False} | hashes | changed


def edge(left: int, right: int, cosine: float = 0.95) -> Edge:
    return ("global", min(left, right) * 10, max(left, right) * 10, cosine, None)


def all_copies(pairs: CandidatePairs) -> ComparedPairs:
    return compared_as(pairs, copies=True)


def compared_as(pairs: CandidatePairs, *, copies: bool, alike: bool = True) -> ComparedPairs:
    terms = {"copy": F.lit(copies), "alike": F.lit(alike), "confidence": F.lit(0.9)}
    return ComparedPairs(pairs.select("better", "worse").withColumns(terms))


def answers(
    spark: SparkSession,
    images: list[Image],
    edges: list[Edge],
    settings: Decide = SETTINGS,
    compare: Compare = all_copies,
    partitions: int = 2,
) -> dict[int, Row]:
    faces = spark.createDataFrame([tuple(row[name] for name in CANDIDATES.names) for row in images], CANDIDATES)
    graph = Edges(spark.createDataFrame(edges, EDGES.columns).repartition(partitions))
    frame = near_duplicates(Candidates(faces.repartition(partitions)), graph, settings, compare)
    assert frame.columns == NEAR_DUPLICATES.names
    rows = frame.collect()
    assert len({row.image_id for row in rows}) == len(rows)
    return {row.image_id: row for row in rows}


def followers(
    spark: SparkSession, images: list[Image], edges: list[Edge], settings: Decide = SETTINGS, partitions: int = 2
) -> dict[int, int]:
    rows = answers(spark, images, edges, settings, partitions=partitions)
    assert all(row.copy_confidence == 0.9 for row in rows.values() if row.leader is not None)
    return {image_id: row.leader for image_id, row in rows.items() if row.leader is not None}


def plain(images: list[Image], edges: list[Edge], bits: int) -> dict[int, int]:
    """The rules, word by word."""
    faces = {row["face_id"]: row for row in images}
    sharpest: dict[int, float] = {}
    for row in images:
        sharpest[row["image_id"]] = max(row["sharpness"], sharpest.get(row["image_id"], 0))

    def rank(row: Image) -> tuple[object, ...]:
        pixels = row["image_width"] * row["image_height"]
        last = (-pixels, -sharpest[row["image_id"]], row["uri"].encode())
        return (not row["preferred"], row["identity"] is None, *last)

    def differ(left: Image, right: Image) -> int:
        if left["phash"] is None or right["phash"] is None:
            return 999
        views = [np.unpackbits(np.frombuffer(row["phash"], np.uint8)).reshape(-1, 256) for row in (left, right)]
        return int(min((views[0] != views[1][0]).sum(1).min(), (views[1] != views[0][0]).sum(1).min()))

    near = set()
    for _, src, dst, cosine, _ in edges:
        if src not in faces or dst not in faces:
            continue
        better, worse = sorted((faces[src], faces[dst]), key=rank)
        names = {better["identity"], worse["identity"]} - {None}
        nameless_first = better["identity"] is None and worse["identity"] is not None
        alike = cosine >= COSINE and differ(better, worse) <= bits
        if better["image_id"] != worse["image_id"] and alike and len(names) < 2 and not nameless_first:
            near.add((better["image_id"], worse["image_id"]))
    near |= plain_lone(images, edges, bits, rank)
    ordered = sorted({row["image_id"]: row for row in images}.values(), key=rank)
    best: list[int] = []
    followed: dict[int, int] = {}
    for number in (row["image_id"] for row in ordered):
        leader = next((better for better in best if (better, number) in near), None)
        if leader is None:
            best.append(number)
        else:
            followed[number] = leader
    return followed


def plain_lone(
    images: list[Image], edges: list[Edge], bits: int, rank: Callable[[Image], tuple[object, ...]]
) -> set[tuple[int, int]]:
    """Pairs of images of one folder, the better first, one of them without a near edge, whose wholes are alike."""
    near_faces = {end for _, src, dst, cosine, _ in edges if cosine >= COSINE for end in (src, dst)}
    in_company = {row["image_id"] for row in images if row["face_id"] in near_faces}
    near = set()
    for pair in itertools.combinations([row for row in images if row["phash"] is not None], 2):
        better, worse = sorted(pair, key=rank)
        wholes = [np.unpackbits(np.frombuffer(row["phash"][:VIEW_BYTES], np.uint8)) for row in pair]
        alike = better["image_id"] != worse["image_id"] and (wholes[0] != wholes[1]).sum() <= bits
        one_folder = better["identity"] is not None and better["identity"] == worse["identity"]
        if alike and one_folder and not {better["image_id"], worse["image_id"]} <= in_company:
            near.add((better["image_id"], worse["image_id"]))
    return near


def crowd(seed: int) -> tuple[list[Image], list[Edge]]:
    """Images with ties in everything that orders them, two faces in some, edges in one scope or both."""
    chance = np.random.default_rng(seed)
    images: list[Image] = []
    for number in range(1, 41):
        row = image(
            number,
            uri=f"{chance.integers(1000)}-{number}\u00e9.jpg",
            identity=[None, "a", "a", "b"][chance.integers(4)],
            image_width=int(chance.integers(1, 3)) * 100,
            sharpness=float(chance.integers(3)),
            phash=None if chance.random() < 0.05 else hashed(*range(chance.integers(14)), views=1 + number % 2),
            preferred=bool(chance.random() < 0.1),
        )
        images.append(row)
        if number % 7 == 0:
            images.append(row | {"face_id": number * 10 + 1, "sharpness": 5.0})
    ends = list(itertools.combinations([row["face_id"] for row in images], 2))
    chosen = chance.choice(len(ends), 200, replace=False)
    cosines = chance.choice(np.array([0.85, 0.875, 0.95], np.float32), len(chosen)).tolist()
    edges: list[Edge] = [("global", *ends[pair], cosine, None) for pair, cosine in zip(chosen, cosines, strict=True)]
    edges += [("identity", *row[1:]) for row in edges[::3]]
    edges.append(("global", 10, 9_999, 1.0, None))
    return images, edges


def test_followers_are_those_of_the_plain_rules_whatever_the_partitions(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("facesieve.decide.near_duplicates._MOST_TRIED", 99)
    images, edges = crowd(seed=7)
    settings = replace(SETTINGS, near_bits=6)
    expected = plain(images, edges, 6)
    assert len(expected) > 10
    assert followers(spark, images, edges, settings) == expected
    spark.conf.set("spark.sql.adaptive.enabled", "false")
    try:
        assert followers(spark, images[::-1], edges[::-1], settings, partitions=5) == expected
    finally:
        spark.conf.set("spark.sql.adaptive.enabled", "true")


BETTER_AND_WORSE: list[tuple[Image, Image]] = [
    ({"preferred": True, "image_width": 1}, {"image_width": 200}),
    ({"image_width": 1}, {"identity": None, "image_width": 200}),
    ({"image_width": 200, "sharpness": 0.5}, {}),
    ({"image_width": 2_000_000_000, "image_height": 2_000_000_000}, {"sharpness": 9.0}),
    ({"image_width": 50, "image_height": 250}, {}),
    ({"sharpness": 2.0}, {}),
    ({}, {"sharpness": None}),
    ({"uri": "Z"}, {"uri": "a"}),
    ({"uri": "\uffff"}, {"uri": "\U0001f600"}),
    ({"preferred": None, "uri": "a"}, {"uri": "b"}),
]
NOT_NEAR: list[Image] = [
    {"identity": "b"},
    {"phash": hashed(*range(BITS + 1))},
    {"phash": None},
    {"phash": b"short"},
    {"phash": b""},
    {"identity": None, "preferred": True},
]


def test_the_better_of_two_is_kept(spark: SparkSession) -> None:
    """One frame of pairs that have nothing to do with each other; the worse image has the smaller id."""
    images = [
        image(2 * place + number, **changed)
        for place, (better, worse) in enumerate(BETTER_AND_WORSE)
        for number, changed in ((1, worse), (2, better))
    ]
    edges = [edge(2 * place + 1, 2 * place + 2) for place in range(len(BETTER_AND_WORSE))]
    assert followers(spark, images, edges) == {2 * place + 1: 2 * place + 2 for place in range(len(BETTER_AND_WORSE))}


def test_images_that_are_not_near_are_both_kept(spark: SparkSession) -> None:
    others = [image(number + 2, **changed) for number, changed in enumerate(NOT_NEAR)]
    same_image = image(1, face_id=90)
    edges = [edge(1, number) for number in range(2, 9)] + [edge(1, 9, 1.0)]
    assert followers(spark, [image(1), same_image, *others], edges) == {}


def test_the_limits_belong_to_what_is_near(spark: SparkSession) -> None:
    images = [image(1), image(2, phash=hashed(*range(BITS))), image(3, identity=None, phash=hashed(*range(BITS)))]
    edges = [edge(1, 2, COSINE), edge(1, 3, float(np.nextafter(np.float32(COSINE), np.float32(0))))]
    assert followers(spark, images, edges) == {2: 1}


def test_the_whole_of_one_may_be_like_a_view_of_the_other(spark: SparkSession) -> None:
    other = hashed(*range(1, 256, 2))
    edges = [edge(1, 2), edge(1, 3), edge(2, 3)]
    assert followers(spark, [image(1, phash=hashed(views=2)), image(2, phash=other)], edges) == {2: 1}
    assert followers(spark, [image(1, phash=other), image(2, phash=hashed(views=2))], edges) == {2: 1}
    cut = [image(1, phash=hashed(views=2)), image(2, phash=hashed(*range(200), views=2))]
    assert followers(spark, cut, edges) == {}, "two views that are both cut are not compared"


def test_nothing_near_gives_nothing(spark: SparkSession) -> None:
    assert followers(spark, [image(1), image(2, identity="b"), image(3, identity=None)], []) == {}


def test_an_image_without_a_near_edge_is_compared_with_its_folder(spark: SparkSession) -> None:
    """Image 3 is like image 1, whatever its face; image 4 is, turned by a quarter; images 1 and 2 have an edge."""
    lying = hashed(*range(100)) * 2 + hashed()
    images = [
        image(1, phash=hashed(*range(BITS + 1))),
        image(2),
        image(3, phash=hashed(*range(BITS + 9))),
        image(4, image_width=50, phash=FAR, turned_phash=hashed(*range(99)) * 2 + hashed(*range(BITS + 1))),
        image(5, identity="b", turned_phash=lying),
    ]
    seen: list[tuple[object, ...]] = []

    def compare(pairs: CandidatePairs) -> ComparedPairs:
        seen.extend(sorted(tuple(row) for row in pairs.collect()))
        return compared_as(pairs, copies=True)

    rows = answers(spark, images, [edge(1, 2)], compare=compare)
    # Image 4 turned by three quarters is image 1, so image 1 turned by one quarter is image 4.
    assert seen == [(1, 3, 10, 30, False, 0), (1, 4, 10, 40, False, 1)]
    assert {image_id: row.leader for image_id, row in rows.items()} == {3: 1, 4: 1}


def test_a_mirrored_face_may_differ_more_where_the_faces_as_they_stand_differ_much_more(spark: SparkSession) -> None:
    bits = BITS * 4 // 3
    folders: list[tuple[tuple[int, ...], tuple[int, ...]]] = [
        (tuple(range(bits)), tuple(range(bits + 48))),
        (tuple(range(bits)), tuple(range(bits + 47))),
        (tuple(range(bits + 1)), tuple(range(bits + 49))),
    ]
    images = [
        image(2 * number + end, identity=str(number), phash=(FAR, hashed())[end], face_phash=face)
        for number, (mirrored, upright) in enumerate(folders)
        for end, face in enumerate((face_hash(mirrored=(255,)), face_hash(*upright, mirrored=mirrored)))
    ]
    # The mirror image of the second is compared with the first, which has no bits.
    edges = [edge(2 * number, 2 * number + 1) for number in range(len(folders))]
    assert followers(spark, images, edges) == {1: 0}


def face_hash(*bits: int, mirrored: tuple[int, ...] = ()) -> bytes:
    """All views alike, with the given bits set, and the mirror image of the face."""
    mirror = hashed(*mirrored) if mirrored else hashed(*range(0, 256, 3))
    return hashed(*bits) * (FACE_BYTES // VIEW_BYTES - 1) + mirror


FAR = hashed(*range(200))


@pytest.mark.parametrize(
    ("one", "other", "near"),
    [
        (face_hash(1, 2), face_hash(2, 3), True),
        (face_hash(1, 2), face_hash(*range(50, 90)), False),
        (face_hash(1, 2), face_hash(*range(50, 90), mirrored=(1, 2, 3)), True),
        (face_hash(1, 2), None, False),
        (face_hash(1, 2), b"short", False),
    ],
)
def test_faces_that_are_alike_make_candidates_too_and_so_do_mirrored_ones(
    spark: SparkSession, one: bytes, other: bytes | None, near: bool
) -> None:
    images = [image(1, face_phash=one), image(2, face_phash=other, phash=FAR)]
    assert followers(spark, images, [edge(1, 2)]) == ({2: 1} if near else {})


def test_what_is_compared_is_the_likest_faces_and_whether_they_are_mirrored(spark: SparkSession) -> None:
    images = [
        image(1, face_phash=face_hash(1, 2)),
        image(2, face_phash=face_hash(*range(50, 90), mirrored=(1, 2)), phash=FAR),
        image(2, face_id=21, face_phash=face_hash(1, 2, 3, 4), phash=FAR),
    ]
    seen: list[tuple[object, ...]] = []

    def compare(pairs: CandidatePairs) -> ComparedPairs:
        seen.extend(tuple(row) for row in pairs.collect())
        return compared_as(pairs, copies=False)

    answers(spark, images, [edge(1, 2), ("global", 10, 21, 0.95, None)], compare=compare)
    assert seen == [(1, 2, 10, 20, True, 0)]


def test_what_is_alike_and_no_copy_is_a_burst_and_stays(spark: SparkSession) -> None:
    images, edges = [image(1), image(2), image(3)], [edge(1, 2), edge(2, 3)]
    rows = answers(spark, images, edges, compare=lambda pairs: compared_as(pairs, copies=False))
    assert {image_id: (row.leader, row.burst) for image_id, row in rows.items()} == dict.fromkeys(
        (1, 2, 3), (None, True)
    )
    assert answers(spark, images, edges, compare=lambda pairs: compared_as(pairs, copies=False, alike=False)) == {}

    def the_first_is_a_copy(pairs: CandidatePairs) -> ComparedPairs:
        return ComparedPairs(compared_as(pairs, copies=True).withColumn("copy", F.col("worse") == 2))

    rows = answers(spark, images, [*edges, edge(1, 3)], compare=the_first_is_a_copy)
    outcome = {image_id: (row.leader, row.burst) for image_id, row in rows.items()}
    assert outcome == {1: (None, True), 2: (1, False), 3: (None, True)}, "the burst is between those that stay"


@pytest.mark.parametrize(("policy", "stays"), [("largest", 1), ("sharpest", 2), ("first", 3)])
def test_which_copy_stays_is_a_policy(spark: SparkSession, policy: str, stays: int) -> None:
    images = [image(1, image_width=200, uri="b"), image(2, sharpness=5.0, uri="c"), image(3, uri="a")]
    settings = replace(SETTINGS, copy=policy)
    edges = [edge(1, 2), edge(1, 3), edge(2, 3)]
    assert followers(spark, images, edges, settings) == dict.fromkeys({1, 2, 3} - {stays}, stays)


def test_of_many_pairs_only_the_best_and_the_likest_are_compared(spark: SparkSession) -> None:
    """A film of n frames that are all alike has n x n pairs: no more than eight of each frame are looked at."""
    images = [image(number, phash=hashed(number % 9)) for number in range(1, 31)]
    edges = [edge(*ends) for ends in itertools.combinations(range(1, 31), 2)]
    counts: list[int] = []

    def compare(pairs: CandidatePairs) -> ComparedPairs:
        counts.append(pairs.count())
        return all_copies(pairs)

    rows = answers(spark, images, edges, compare=compare)
    assert 8 < counts[0] <= 8 * 30
    assert {row.leader for row in rows.values()} == {1}
