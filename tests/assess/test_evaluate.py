"""Evaluation of a finished run: figures against the kernel and scikit-learn, truth tables, what is left out, errors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from finished import Finished
from pyspark.sql import SparkSession
from sklearn.metrics import normalized_mutual_info_score

from facesieve.assess import evaluate
from facesieve.assess.kernels.agreement import BANDS, bcubed, pairwise
from facesieve.core import tables

Fields = dict[str, Any]

PEOPLE, IMAGES = 7, 60
RNG = np.random.default_rng(3)
PERSON = RNG.integers(0, PEOPLE, IMAGES)
CLUSTER = np.where(RNG.random(IMAGES) < 0.7, PERSON, 100 + RNG.integers(0, 30, IMAGES))
NAMELESS = set(range(5))


def _face(image: int) -> int:
    return 1000 - image * 7


def _listing() -> list[Fields]:
    return [
        {"image_id": i, "uri": f"p/{i}.jpg", "identity": None if i in NAMELESS else f"person {PERSON[i]}"}
        for i in range(IMAGES)
    ]


def _embeddings(model: str) -> list[Fields]:
    rows = [{"image_id": i, "face_id": _face(i), "face_rank": 0, "model": model} for i in range(IMAGES)]
    # Images 10 and 11 hold a second face: in the first one in the cluster of the first face, in the other alone.
    return rows + [{"image_id": i, "face_id": 5000 + i, "face_rank": 1, "model": model} for i in (10, 11)]


def _clusters(scope: str) -> list[Fields]:
    labels = {_face(i): int(CLUSTER[i]) for i in range(IMAGES)} | {5010: int(CLUSTER[10]), 5011: 5011}
    sizes = {label: list(labels.values()).count(label) for label in labels.values()}
    return [
        {"scope": scope, "face_id": face, "cluster_id": label, "cluster_size": sizes[label]}
        for face, label in labels.items()
    ]


@pytest.fixture(scope="module")
def place(spark: SparkSession) -> Finished:
    finished_lake = Finished(spark)
    older = finished_lake.put(tables.CLUSTERS, _clusters("heap"))
    after = {
        "listing": finished_lake.put(tables.LISTING, _listing()),
        "embeddings": finished_lake.put(tables.EMBEDDINGS, _embeddings(finished_lake.model)),
        "clusters": finished_lake.put(tables.CLUSTERS, _clusters("global") + _clusters("identity")),
    }
    finished_lake.run("r0", after | {"clusters": older})
    finished_lake.run("r1", after)
    # What came after the newest finished run is not read: an unfinished run left other clusters.
    finished_lake.put(tables.CLUSTERS, [{"scope": "global", "face_id": 1, "cluster_id": 1, "cluster_size": 1}])
    finished_lake.run("r2", {}, "failed")
    return finished_lake


def _record(place: Finished, capsys: pytest.CaptureFixture[str], *arguments: str) -> Fields:
    assert place.ask(evaluate, "--json", *arguments) == 0
    record: Fields = json.loads(capsys.readouterr().out)
    return record


def test_figures_equal_the_kernel_and_scikit_learn_and_nothing_changes(
    place: Finished, capsys: pytest.CaptureFixture[str]
) -> None:
    before = place.history()
    record = _record(place, capsys)
    assert (record["run"], record["truth"], sorted(record["scopes"])) == ("r1", "listing", ["global", "identity"])
    scope = record["scopes"]["global"]
    named = np.array([i not in NAMELESS for i in range(IMAGES)])
    truth, labels = PERSON[named], CLUSTER[named]
    for name, kernel in (("bcubed", bcubed), ("pairwise", pairwise)):
        assert scope[name] == pytest.approx(kernel(truth, labels)._asdict())
    assert scope["nmi"] == pytest.approx(normalized_mutual_info_score(truth, labels))
    assert (scope["people"], scope["clusters"]) == (len(set(truth)), len(set(labels)))
    assert (scope["faces"], scope["compared"], scope["without_identity"], scope["further_faces"]) == (62, 55, 5, 2)
    assert [scope["images_with_several_faces"], scope["images_with_two_in_one_cluster"]] == [2, 1]
    sizes = np.unique([row["cluster_id"] for row in _clusters("global")], return_counts=True)[1]
    assert (scope["singletons"], scope["largest"]) == (int((sizes == 1).sum()), int(sizes.max()))
    assert place.history() == before


def test_neither_a_model_nor_images_are_needed(place: Finished, capsys: pytest.CaptureFixture[str]) -> None:
    assert place.ask(evaluate, "--json", "--set", "images.root=", model="absent") == 0
    assert json.loads(capsys.readouterr().out)["run"] == "r1"


def test_an_old_scope_is_told_its_new_name(place: Finished, capsys: pytest.CaptureFixture[str]) -> None:
    assert place.ask(evaluate, "--scope", "heap") == 2
    assert "heap was renamed to global" in capsys.readouterr().err


def test_a_run_of_the_former_version_has_its_scope_by_the_present_name(
    place: Finished, capsys: pytest.CaptureFixture[str]
) -> None:
    now, then = (_record(place, capsys, "--scope", "global", "--run", run)["scopes"] for run in ("r1", "r0"))
    assert now == then


def test_purity_by_size_equals_counting(place: Finished, capsys: pytest.CaptureFixture[str]) -> None:
    (scope,) = _record(place, capsys, "--scope", "global")["scopes"].values()
    named = [i for i in range(IMAGES) if i not in NAMELESS]
    assert [band["least"] for band in scope["purity"]] == list(BANDS)
    for band in scope["purity"]:
        inside = [
            [PERSON[i] for i in named if CLUSTER[i] == label]
            for label in {CLUSTER[i] for i in named}
            if band["least"] <= sum(CLUSTER[i] == label for i in named) <= (band["most"] or IMAGES)
        ]
        pure = sum(max(members.count(person) for person in members) for members in inside)
        assert (band["clusters"], band["faces"]) == (len(inside), sum(map(len, inside)))
        assert band["purity"] == pytest.approx(pure / band["faces"]) if inside else band["purity"] is None


def test_a_truth_table_replaces_the_identities(
    place: Finished, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "truth.csv"
    rows = [f'p/{i}.jpg,"cluster ""{CLUSTER[i]}"""' for i in range(20)] + ["elsewhere.jpg,x", "p/30.jpg,"]
    file.write_text("\n".join(["uri,identity", *rows, ""]))
    record = _record(place, capsys, "--truth", str(file), "--scope", "global")
    scope = record["scopes"]["global"]
    assert (record["truth"], scope["compared"]) == ("file", 20)
    assert scope["bcubed"]["f"] == scope["pairwise"]["f"] == scope["nmi"] == 1.0
    assert ["1 uris of --truth are not in the run's listing" in text for text in record["warnings"]] == [True]


def test_parquet_truth_and_text(
    place: Finished, capsys: pytest.CaptureFixture[str], tmp_path: Path, spark: SparkSession
) -> None:
    truth = spark.createDataFrame([(f"p/{i}.jpg", int(PERSON[i])) for i in range(IMAGES)], "uri string, identity int")
    truth.write.parquet(str(tmp_path / "truth"))
    assert place.ask(evaluate, "--truth", str(tmp_path / "truth")) == 0
    text = capsys.readouterr().out
    for part in ("Run r1, against the truth table", "Scope identity", "B-cubed", "100 and more", "two faces in one"):
        assert part in text
    assert "WARNING" not in text


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("uri,identity\na,b\na,c\n", "line 2 and line 3 give a two identities"),
        (None, "cannot be read"),
    ],
)
def test_truth_that_cannot_be_used(
    place: Finished, capsys: pytest.CaptureFixture[str], tmp_path: Path, content: str | None, problem: str
) -> None:
    file = tmp_path / "truth.csv"
    if content is not None:
        file.write_text(content)
    assert place.ask(evaluate, "--truth", str(file)) == 2
    assert problem in capsys.readouterr().err


def test_what_is_not_there_is_said(place: Finished, capsys: pytest.CaptureFixture[str], spark: SparkSession) -> None:
    assert place.ask(evaluate, "--scope", "both") == 2
    assert "Use one of: global, identity" in capsys.readouterr().err
    assert place.ask(evaluate, "--run", "r2") == 2
    assert "no finished run of this lake is named r2" in capsys.readouterr().err
    empty = Finished(spark)
    assert empty.ask(evaluate) == 2
    assert "no run has finished in this lake" in capsys.readouterr().err
    empty.run("r1", {"listing": empty.put(tables.LISTING, [])})
    assert empty.ask(evaluate) == 2
    assert "table clusters: the run r1 left none" in capsys.readouterr().err


def test_a_truth_of_other_images_is_refused(
    place: Finished, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "t.csv").write_text("uri,identity\nelsewhere,x\n")
    assert place.ask(evaluate, "--truth", str(tmp_path / "t.csv")) == 2
    assert "none of its 1 uris is in the run's listing" in capsys.readouterr().err


def test_nothing_to_compare_with_is_a_warning(spark: SparkSession, capsys: pytest.CaptureFixture[str]) -> None:
    nameless = Finished(spark)
    after = {
        "listing": nameless.put(tables.LISTING, [row | {"identity": None} for row in _listing()]),
        "embeddings": nameless.put(tables.EMBEDDINGS, _embeddings(nameless.model)),
        "clusters": nameless.put(tables.CLUSTERS, _clusters("global")),
    }
    nameless.run("r1", after)
    record = _record(nameless, capsys)
    assert "nothing to compare" in record["warnings"][-1]
    assert record["scopes"]["global"]["bcubed"] is None
    assert record["scopes"]["global"]["images_with_several_faces"] == 2
