"""Whom selectors choose, and that nothing is never everything."""

from __future__ import annotations

from argparse import ArgumentParser

import pytest
from pyspark.sql import SparkSession

from facesieve.core.errors import ConfigError
from facesieve.erasure.selection import IMAGES_EVER
from facesieve.erasure.selectors import Selectors, add_selectors


def selectors(*arguments: str) -> Selectors:
    parser = ArgumentParser()
    add_selectors(parser)
    return Selectors.of(parser.parse_args(arguments))


def test_the_choice_has_a_digest_whatever_the_order() -> None:
    one, other = selectors("--uri", "a", "--image-id", "-7", "--uri", "b"), selectors("--uri", "b", "--uri", "a")
    assert one.digest == selectors("--image-id", "-7", "--uri", "b", "--uri", "a", "--uri", "a").digest
    assert one.digest != other.digest


@pytest.mark.parametrize("arguments", [(), ("--prefix", ""), ("--identity", ""), ("--uri", "a", "--uri", "")])
def test_nothing_is_not_everything(arguments: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match=r"nothing says who is meant|is empty"):
        selectors(*arguments)


def test_images_are_chosen(spark: SparkSession) -> None:
    rows = [
        (1, "ann/1.jpg", None, "ann"),
        (2, "ann%/1.jpg", None, None),
        (3, "bob/1.jpg", None, "bob"),
        (4, None, None, None),
    ]
    images = spark.createDataFrame(rows, IMAGES_EVER)

    def chosen(*arguments: str) -> list[int]:
        return sorted(row.image_id for row in images.where(selectors(*arguments).chooses()).collect())

    assert chosen("--image-id", "4", "--uri", "bob/1.jpg") == [3, 4]
    assert chosen("--prefix", "ann%") == [2]
    assert chosen("--identity", "ann") == [1]
    assert chosen("--cluster", "5") == []
