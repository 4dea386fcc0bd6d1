"""Confidences against the formula in plain Python."""

from __future__ import annotations

import math

import pytest
from deciding import rows_of
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from facesieve.decide import confidence
from facesieve.decide.evidence import SPEAKING
from facesieve.decide.flips import SUSPECTS


def logistic(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))


def test_the_prior_is_the_log_odds_within_bounds() -> None:
    assert confidence.prior_odds(90, 100) == pytest.approx(math.log(9))
    assert confidence.prior_odds(100, 100) == pytest.approx(math.log(0.995 / 0.005)) == -confidence.prior_odds(0, 100)


def test_membership_counts_the_global_cluster_where_there_is_one(spark: SparkSession) -> None:
    faces = [
        {"identity": "ann", "main_global": 1, "in_main_global": True, "main": True, "membership": 2.0},
        {"identity": "ann", "main_global": 1, "in_main_global": False, "main": True, "membership": 2.0},
        {"identity": "ann", "in_main_global": True, "main": False, "membership": 2.0},
        {"identity": "ann", "in_main_global": True, "main": False},
    ]
    rows = rows_of(spark, SPEAKING, faces).select(confidence.of_membership(0.5)).collect()
    with_global, without = 0.5 - 6.96 + 2.23 * 2, 0.5 - 7.69 + 2.75 * 2
    expected = [logistic(with_global + 9.42 + 1.44), logistic(with_global + 1.44), logistic(without), None]
    assert [row[0] for row in rows] == [each if each is None else pytest.approx(each) for each in expected]


def test_a_flip_and_a_link(spark: SparkSession) -> None:
    suspect = {"target_membership": 4.0, "target_cosine": 0.75, "target_other_cosine": 0.5}
    flip, link = (
        rows_of(spark, SUSPECTS, [suspect])
        .select(confidence.of_flip(0.125), confidence.of_link(F.lit(0.9)))
        .collect()[0]
    )
    assert flip == pytest.approx(logistic(-19.68 + 4.80 * 4 + 2.04 * 2))
    assert link == pytest.approx(logistic(-25.8 + 30 * 0.9))


def test_faces_that_were_not_looked_at_leave_it_open(spark: SparkSession) -> None:
    """Seen whole, a face left out, one passed over, both, left out in the folder's core, failed, without a name."""
    unseen = [(False, False, 0.0), (True, False, 0.2), (False, True, 0.0), (True, True, 0.0), (False, False, 0.25)]
    unseen += [(False, True, 0.9)]
    faces: list[dict[str, object]] = [
        {"identity": "ann", "left_out": left_out, "passed_over": passed_over, "core_left_out": core}
        for left_out, passed_over, core in unseen
    ]
    faces += [{"identity": "ann"}, {"left_out": True, "core_left_out": 1.0}]
    member, flip = confidence.of_unseen(F.lit(0.02)), confidence.of_unseen_flip(F.lit(0.98))
    rows = rows_of(spark, SPEAKING, faces).select(member, flip).collect()
    assert [row[0] for row in rows] == pytest.approx([0.02, 0.51, 0.118, 0.51, 0.265, 0.51, 0.02, 0.02])
    assert [row[1] for row in rows] == pytest.approx([0.98, 0.49, 0.882, 0.49, 0.735, 0.49, 0.98, 0.98])
    assert (rows[0][0], rows[0][1]) == (0.02, 0.98), "to the bit"
