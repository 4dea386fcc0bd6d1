"""What the benchmarks of decisions count, on a handful of images."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import reliability
import scoring
import seed_folders
from planting import Planted

# uri, folder, truth, kind, verdict, moved_to, confidence
ROWS = [
    ("a/1", "a", "a", "good", "keep", None, 0.9),
    ("a/2", "a", "a", "good", "keep", None, 0.9),
    ("a/3", "a", "a", "good", "drop", None, 0.6),
    ("a/4", "a", "a", "good", "move", "b", 0.5),
    ("a/5", "a", "x", "impostor", "keep", None, 0.9),
    ("a/6", "a", "x", "impostor", "drop", None, 1.0),
    ("a/7", "a", "y", "other_person", "move", "b", 0.5),
    ("a/8", "a", "b", "flip", "move", "b", 0.5),
    ("b/1", "b", "a", "flip", "quarantine", None, 0.2),
    ("c-1/1", "c-1", "c", "good", "move", "c-2", 1.0),
]


@pytest.fixture
def planted() -> Planted:
    uri, folder, truth, kind, *_ = map(list, zip(*ROWS, strict=True))
    numbers = np.arange(len(ROWS))
    person_of = {"a": "a", "b": "b", "c-1": "c", "c-2": "c"}
    return Planted(np.zeros((len(ROWS), 2), np.float32), uri, folder, truth, kind, numbers, person_of)


@pytest.fixture
def decided() -> pd.DataFrame:
    """In another order than planted."""
    rows = [
        (uri, verdict, moved, confidence, ["outlier"]) for uri, _, _, _, verdict, moved, confidence in reversed(ROWS)
    ]
    return pd.DataFrame(rows, columns=["uri", "verdict", "moved_to", "confidence", "reasons"])


def test_shares(planted: Planted, decided: pd.DataFrame) -> None:
    links = pd.DataFrame(
        [("a", "b", 0.95), ("a", "c-1", np.nan), ("c-1", "c-2", 0.99)],
        columns=["identity_a", "identity_b", "confidence"],
    )
    found = scoring.measures(planted, decided, links)
    assert found["good kept"] == 3 / 5
    assert found["good moved wrong"] == found["good dropped"] == 1 / 5
    assert found["noise left"] == pytest.approx(2 / 3)
    assert (found["impostor left"], found["other_person left"]) == (1 / 2, 1)
    assert found["wrong among published"] == 3 / 7
    assert (found["flips moved right"], found["flips quarantined"], found["flips kept"]) == (1 / 2, 1 / 2, 0)
    assert (found["cuts proposed"], found["false proposals"], found["false proposals above 0.9"]) == (1, 2, 1)
    assert found["greatest confidence of a false one"] == 0.95


def test_a_report_says_what_was_missed() -> None:
    text = scoring.report("title", {"good kept": 0.992, "noise left": 0.004}, "facenet", "noise30")
    assert [line.split()[-1] for line in text.splitlines()[1:]] == ["MISSED", "met"]
    assert "MISSED" not in scoring.report("title", {"good kept": 0.992}, "mobilefacenet", "noise30")


def test_confidence_is_that_the_verdict_is_right(planted: Planted, decided: pd.DataFrame) -> None:
    judged = reliability.of_verdicts(scoring.joined(planted, decided))
    assert judged["right"].tolist() == [True, True, False, False, False, True, False, True, False, True]
    table = reliability.table(judged[judged["verdict"] == "keep"])
    assert table.iloc[0].tolist() == ["0.9 - 0.95", 3, pytest.approx(0.9), pytest.approx(2 / 3)]
    assert reliability.error(judged[judged["verdict"] == "drop"]) == pytest.approx(0.3)
    assert "10 of 10" in reliability.report(scoring.joined(planted, decided))
    silent = scoring.joined(planted, decided.assign(confidence=None))
    assert "0 of 10" in reliability.report(silent)


def test_the_script_keeps_the_largest_cluster() -> None:
    axes = np.eye(3, dtype=np.float32)
    vectors = axes[[0] * 6 + [1] * 3 + [2] * 4]
    assert seed_folders.kept(vectors, ["a"] * 9 + ["b"] * 4).tolist() == [True] * 6 + [False] * 7
