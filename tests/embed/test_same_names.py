"""Identities that meet but for Unicode form, blanks or letter case."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from facesieve.embed.same_names import IDENTITIES, Identities, SameNames, folds, same_names, spellings

ZOE, DECOMPOSED = "Zo\u00e9", "Zoe\u0301"
NAMES = {ZOE: 3, DECOMPOSED: 5, "Ann": 2, "Ann ": 2, "ann": 1, "ANN": 2, "Bea": 9, " Cid": 1, "Cid": 1, "ß": 1, "SS": 2}


def _identities(spark: SparkSession) -> Identities:
    return Identities(spark.createDataFrame(list(NAMES.items()), IDENTITIES))


def test_what_meets_is_counted_by_what_differs(spark: SparkSession) -> None:
    same = same_names(_identities(spark))
    assert same == SameNames(form=1, blanks=2, case=3)
    assert "6 identities differ from another only a little (1 in Unicode form, 2 in blanks" in same.warning
    assert not any(name in same.warning for name in NAMES)


def test_the_spelling_of_most_images_stays(spark: SparkSession) -> None:
    assert spellings(_identities(spark)) == {
        ZOE: DECOMPOSED,
        "Ann": "ANN",
        "Ann ": "ANN",
        "ann": "ANN",
        "Cid": " Cid",
        "ß": "SS",
    }


@given(st.text())
def test_folding_twice_is_folding_once(name: str) -> None:
    assert folds(folds(name)[2])[2] == folds(name)[2]
