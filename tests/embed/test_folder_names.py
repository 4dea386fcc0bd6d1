"""Names of folders under several parents: sessions are told, parts of one data set are not."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession

from facesieve.embed.folder_names import FOLDERS, Folders, NestedNames, RepeatedNames, nested_names, repeated_names

TOP = 'images.identity = "top"'


def _repeated(spark: SparkSession, *folders: str) -> RepeatedNames:
    return repeated_names(Folders(spark.createDataFrame([(folder, "x", 2) for folder in folders], FOLDERS)))


@pytest.mark.parametrize(
    ("folders", "counts", "fix"),
    [
        (("Ann/0", "Ann/1", "Bea/0", "Bea/1", "Cid/0"), (2, 3, 10), TOP),
        (("lfw/Ann/0", "lfw/Bea/0"), (1, 2, 4), "images.identity = 2"),
        (("train/Ann/0", "test/Bea/0"), (1, 2, 4), "[^/]+/(?P<identity>[^/]+)/"),
        (("Ann/0", "x/Bea/0"), (1, 2, 4), "a number of folders"),
        (("here/Ann", "there/Ann"), (1, 2, 4), TOP),
        (("Ann", "x/Ann"), (1, 2, 4), "a number of folders"),
        (("Ann/train", "Bea/train"), (1, 2, 4), TOP),
        (("Ann_test/0", "Bea_test/0"), (1, 2, 4), TOP),
        (("Val/0", "Testino/0"), (1, 2, 4), TOP),
    ],
)
def test_one_name_under_several_parents(
    spark: SparkSession, folders: tuple[str, ...], counts: tuple[int, int, int], fix: str
) -> None:
    repeated = _repeated(spark, *folders)
    assert repeated[:3] == counts
    assert fix in repeated.warning


@pytest.mark.parametrize(
    "parents",
    [
        ("train", "val", "test"),
        ("Training", "VALIDATION"),
        ("data/train", "data/val"),
        ("lfw-train", "lfw-test"),
        ("train_images", "test_images"),
        ("fold_1", "fold_2", "fold10"),
        ("part01", "part02"),
        ("train/aligned", "val/aligned"),
        ("gallery", "probes"),
    ],
)
def test_parts_of_one_data_set_are_plain(spark: SparkSession, parents: tuple[str, ...]) -> None:
    folders = [f"{parent}/{name}" for parent in parents for name in ("Ann", "0001")]
    assert _repeated(spark, *folders) == RepeatedNames()


def test_no_name_is_repeated(spark: SparkSession) -> None:
    assert _repeated(spark, "", "Ann", "Bea", "Ann/x", "Bea/y") == RepeatedNames()


@pytest.mark.parametrize(
    ("folders", "counts"),
    [
        (("Ann", "Ann/2024", "Ann/2024/may", "Bea", "Cid"), (2, 4)),
        (("Ann", "Ann/x/y", "Anna/z"), (1, 2)),
        (("", "Ann", "Bea"), (0, 0)),
        (("train", "train/Ann", "data/val 2", "data/val 2/Bea"), (0, 0)),
    ],
)
def test_folders_below_a_person_are_counted(
    spark: SparkSession, folders: tuple[str, ...], counts: tuple[int, int]
) -> None:
    rows = [(folder, name, 1) for folder in folders for name in ("x", "y")]
    nested = nested_names(Folders(spark.createDataFrame(rows, FOLDERS)))
    assert nested == NestedNames(*counts)
    assert 'images.identity = "top"' in nested.warning
