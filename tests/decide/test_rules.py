"""What the rules make of folders that meet, of poor faces, of people's verdicts: two runs in all."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from deciding import Face, Photo, inputs
from pyspark.sql import SparkSession

from facesieve.core.sections import Decide
from facesieve.decide.decisions import decisions
from facesieve.decide.inputs import OVERLAPS, OVERRIDES, Basis, Overlaps, Overrides, SideInputs
from facesieve.decide.kernels.membership import Scale

SCALE = Scale(0.0, 0.15, 0.7)
"""A face like all of its folder belongs by 4.67, one of cosine c to it by 4.67 c."""


def towards(axis: int, cosine: float = 1.0) -> tuple[float, ...]:
    vector = np.zeros(8)
    vector[axis], vector[7] = cosine, np.sqrt(1 - cosine**2)
    return tuple(vector.tolist())


def photos(name: str, count: int, axis: int, cluster: tuple[int, int], cosine: float = 1.0, **more: Any) -> list[Photo]:
    """`cluster`: of the scope identity, of the scope global."""
    start = more.pop("start", 0)
    face = Face(towards(axis, cosine), *cluster, **more)
    return [Photo(f"{name}/{start + i}.jpg", name.partition("-")[0], (face,)) for i in range(count)]


ANN, BOB = photos("ann", 5, 0, (1, 100)), photos("bob", 5, 1, (2, 200))
FLIPS = [
    *photos("ann-clear", 1, 1, (3, 200)),
    *photos("bob-vague", 1, 0, (4, 100), 0.5),
    *photos("bob-kept", 1, 0, (2, 100)),
    *photos("ann-own", 1, 0, (1, 200)),  # the vote put it with bob, but ann is nearer
]
CAT = [*photos("cat", 4, 2, (5, 300)), *photos("cut", 3, 2, (6, 300))]
DAN = [*photos("dan", 4, 1, (7, 200)), *photos("dan-own", 3, 3, (8, 400))]
EVE = [
    *photos("eve", 5, 4, (9, 500)),
    *photos("eve-weak", 1, 4, (9, 501), 0.45),
    *photos("eve-far", 1, 4, (9, 502), 0.7),
]
FAY = [*photos("fay", 5, 5, (10, 600)), *photos("fay-age", 3, 5, (11, 601), 0.8), *photos("fay-other", 3, 6, (12, 602))]
GUS = [*photos("gus", 5, 6, (13, 700)), *photos("gus-near", 4, 6, (14, 701))]
IDA = [*photos("ida", 2, 3, (15, 800)), *photos("ida-flip", 1, 0, (16, 100))]
LIV = [*photos("liv", 3, 3, (17, 901)), *photos("liv-part", 2, 3, (17, 902))]
LOU = [*photos("lou", 2, 3, (18, 902)), *photos("lou-part", 2, 3, (18, 903))]  # no home in common, but a part
NAMED = [Photo(f"cluster-950/{i}.jpg", "cluster-950", (Face(towards(6), 19, 951),)) for i in range(3)]
LOOSE = [Photo(f"loose/{i}.jpg", None, (Face(towards(6), None, 950),)) for i in range(3)]
EVERY = [*ANN, *BOB, *FLIPS, *CAT, *DAN, *EVE, *FAY, *GUS, *IDA, *LIV, *LOU, *NAMED, *LOOSE]


def edges(one: Photo, other: Photo, cosine: float) -> tuple[object, ...]:
    ends = sorted(photo.face_id(photo.faces[0]) for photo in (one, other))
    return ("global", *ends, cosine, one.identity == other.identity)


EDGES = [edges(ANN[0], BOB[0], 0.25), edges(FLIPS[0], BOB[1], 0.75), edges(FLIPS[0], ANN[1], 0.5)]
EDGES += [edges(NAMED[0], LOOSE[0], 0.6)]


def run(spark: SparkSession, every: list[Photo], side_inputs: SideInputs | None = None, **settings: Any) -> Any:
    tables = inputs(spark, every, edges=EDGES, side_inputs=side_inputs)
    outcome = decisions(tables, Basis(Decide(min_faces=3, **settings), "both", SCALE, 0.5))
    rows = {row.uri: row for row in outcome.rows.collect()}
    links = {(row.identity_a, row.identity_b): row for row in outcome.links.collect()}
    return rows, links, outcome.record()


def verdicts(rows: dict[str, Any], prefix: str) -> set[str]:
    ours = [rows[uri] for uri in rows if uri.startswith(prefix + "/")]
    return {" ".join([row.verdict, *row.reasons, *([f"to {row.moved_to}"] if row.moved_to else [])]) for row in ours}


@pytest.fixture(scope="module")
def plain(spark: SparkSession) -> Any:
    return run(spark, EVERY)


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("ann", "keep"),
        ("ann-clear", "move flip to bob"),
        ("bob-vague", "quarantine flip"),
        ("bob-kept", "move flip to ann"),
        ("ann-own", "keep"),
        ("cat", "keep"),
        ("cut", "keep"),
        ("dan", "quarantine flip"),
        ("dan-own", "quarantine close_modes"),
        ("eve", "keep"),
        ("eve-weak", "quarantine low_cohesion"),
        ("eve-far", "keep"),
        ("fay", "keep"),
        ("fay-age", "quarantine outlier"),
        ("fay-other", "drop outlier"),
        ("gus", "quarantine close_modes"),
        ("gus-near", "quarantine close_modes"),
        ("ida", "drop identity_too_small"),
        ("ida-flip", "move flip to ann"),
    ],
)
def test_where_folders_meet(plain: Any, prefix: str, expected: str) -> None:
    assert verdicts(plain[0], prefix) == {expected}


def test_folders_of_one_person_are_proposed_and_stay_two(plain: Any) -> None:
    links = plain[1]
    assert set(links) == {("cat", "cut"), ("bob", "dan"), ("liv", "lou")}
    cut = links["cat", "cut"]
    assert (cut.cosine, cut.share, cut.merged) == (pytest.approx(1.0, abs=1e-3), 1.0, False)
    assert cut.confidence > 0.95
    assert links["liv", "lou"].share == 0.5
    assert links["bob", "dan"].share == pytest.approx(4 / 7)


def test_evidence_of_a_move_is_about_the_folder_it_goes_to(plain: Any) -> None:
    moved = plain[0]["ann-clear/0.jpg"]
    assert moved.evidence.nearest_face in {photo.face_id(photo.faces[0]) for photo in BOB}
    assert moved.evidence.cosine == pytest.approx(1.0, abs=1e-3)
    assert moved.evidence.margin == pytest.approx(0.5, abs=1e-3)
    kept = plain[0]["ann/0.jpg"].evidence
    assert kept.margin == pytest.approx(0.75, abs=1e-3)
    assert plain[0]["cat/0.jpg"].evidence.margin is None


def test_a_folder_called_like_a_cluster_is_not_that_cluster(plain: Any) -> None:
    for photo in (NAMED[0], LOOSE[0]):
        assert plain[0][photo.uri].evidence.margin == pytest.approx(0.4, abs=1e-3)


def test_confidence_follows_the_evidence(plain: Any) -> None:
    sure = {prefix: plain[0][f"{prefix}/0.jpg"].confidence for prefix in ("ann", "eve-far", "eve-weak", "ann-clear")}
    assert sure["ann"] > 0.99
    assert sure["ann"] > sure["eve-far"] > sure["eve-weak"]
    assert sure["ann-clear"] > 0.99
    assert plain[0]["ida/0.jpg"].confidence is None


def test_every_policy_is_counted_in_one_pass(plain: Any) -> None:
    counts = {policy: plain[2].policies[policy] for policy in ("largest", "modes", "medoid")}
    published = sum(row.verdict in ("keep", "move") for row in plain[0].values())
    # modes: the age and the other of fay, both of gus; medoid: fay's age and both of gus, near the largest's medoid.
    assert counts == {"largest": published, "modes": published + 3 + 3 + 9, "medoid": published + 3 + 9}


@pytest.fixture(scope="module")
def overridden(spark: SparkSession) -> Any:
    poor = photos("ann-poor", 1, 0, (1, 100), doubts=("blurred",))
    words = [
        (ANN[0], "drop", None),  # which the evidence contradicts
        (FAY[-1], "keep", None),
        (DAN[0], "move", "bob"),
        (FLIPS[1], "quarantine", None),
    ]
    same = [
        Photo(f"{name}/copy.jpg", name, (Face(towards(2), in_global=300),), content="same") for name in ("cat", "cut")
    ]
    words.append((same[1], "keep", None))
    broken = Photo("bob-broken/0.jpg", "bob", (), reject="undecodable")
    words.append((broken, "keep", None))
    overrides = [(photo.image_id, verdict, moved_to) for photo, verdict, moved_to in words]
    overlaps = [(GUS[0].image_id, 0.9), (ANN[1].image_id, 0.9)]
    side_inputs = SideInputs(
        Overrides(spark.createDataFrame(overrides, OVERRIDES)), Overlaps(spark.createDataFrame(overlaps, OVERLAPS))
    )
    settings = {"merge_identities": True, "keep": "medoid", "quality": "drop", "overlap": "quarantine"}
    return run(spark, [*EVERY, *poor, *same, broken], side_inputs, **settings)


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("ann/0.jpg", "drop overridden"),
        ("fay-other/2.jpg", "keep overridden outlier"),
        ("dan/0.jpg", "move overridden flip to bob"),
        ("bob-vague/0.jpg", "quarantine overridden flip"),
        ("ann/1.jpg", "quarantine overlap"),
        ("gus/0.jpg", "quarantine overlap"),
        ("ann-poor/0.jpg", "drop blurred"),
        ("cut/0.jpg", "move merged to cat"),
        ("cut/copy.jpg", "keep overridden unclustered"),
        ("cat/copy.jpg", "drop duplicate"),
        ("bob-broken/0.jpg", "fail undecodable"),
        ("fay-age/0.jpg", "keep"),
        ("fay-other/0.jpg", "drop outlier"),
        ("gus-near/0.jpg", "keep"),
    ],
)
def test_people_and_settings(overridden: Any, uri: str, expected: str) -> None:
    assert verdicts(overridden[0], uri.partition("/")[0]) >= {expected}
    assert verdicts({uri: overridden[0][uri]}, uri.partition("/")[0]) == {expected}


def test_a_copy_points_at_the_one_that_a_person_kept(overridden: Any) -> None:
    assert overridden[0]["cat/copy.jpg"].kept_image_id == overridden[0]["cut/copy.jpg"].image_id


def test_a_sure_contradiction_is_counted(overridden: Any) -> None:
    # ann/0 is ann; fay-other/2 is not fay; the move of dan/0, and what else was overridden, stands where a doubt was.
    assert (overridden[2].contradicted, overridden[2].ruled_failed) == (2, 1)
    assert (overridden[0]["ann/0.jpg"].proposal, overridden[0]["fay-other/2.jpg"].proposal) == ("keep", "drop")
    assert overridden[0]["ann/0.jpg"].confidence is None


def test_evidence_is_about_those_that_an_image_ends_with(overridden: Any) -> None:
    bob = {photo.face_id(photo.faces[0]) for photo in BOB}
    by_hand, overlap = overridden[0]["dan/0.jpg"].evidence, overridden[0]["gus/0.jpg"].evidence
    assert (by_hand.nearest_face, by_hand.cosine) == (None, None)
    assert (overlap.nearest_face, overlap.cosine) == (None, np.float32(0.9))
    assert overridden[0]["ann-clear/0.jpg"].evidence.nearest_face in bob


def test_merged_folders_are_marked(overridden: Any) -> None:
    assert {pair: row.merged for pair, row in overridden[1].items()}["cat", "cut"] is True
