"""Near duplicates against the plain rules: which pairs count, which image is better, who follows whom."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from pyspark.sql import SparkSession

from facesieve.core.tables import EDGES, Edges
from facesieve.decide.near_duplicates import CANDIDATES, Candidates, near_duplicates

COSINE, BITS = 0.875, 10

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
    return row | {"image_height": 100, "sharpness": 1.0, "phash": hashed(), "preferred": False} | changed


def edge(left: int, right: int, cosine: float = 0.95) -> Edge:
    return ("global", min(left, right) * 10, max(left, right) * 10, cosine, None)


def followers(
    spark: SparkSession, images: list[Image], edges: list[Edge], partitions: int = 2, bits: int = BITS
) -> dict[int, int]:
    faces = spark.createDataFrame([tuple(row[name] for name in CANDIDATES.names) for row in images], CANDIDATES)
    graph = Edges(spark.createDataFrame(edges, EDGES.columns).repartition(partitions))
    pairs = near_duplicates(Candidates(faces.repartition(partitions)), graph, COSINE, bits)
    assert pairs.dtypes == [("image_id", "bigint"), ("keeper", "bigint")]
    rows = [(row.image_id, row.keeper) for row in pairs.collect()]
    assert len(dict(rows)) == len(rows)
    return dict(rows)


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


def test_followers_are_those_of_the_plain_rules_whatever_the_partitions(spark: SparkSession) -> None:
    images, edges = crowd(seed=7)
    expected = plain(images, edges, 6)
    assert len(expected) > 10
    assert followers(spark, images, edges, bits=6) == expected
    spark.conf.set("spark.sql.adaptive.enabled", "false")
    try:
        assert followers(spark, images[::-1], edges[::-1], partitions=5, bits=6) == expected
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
    images = [image(1), image(2, phash=hashed(*range(BITS))), image(3, phash=hashed(*range(BITS)))]
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
    assert followers(spark, [image(1), image(2)], []) == {}
