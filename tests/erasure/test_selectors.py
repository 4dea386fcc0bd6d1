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


@pytest.mark.parametrize("name", ["uri", "prefix", "identity"])
def test_the_selector_that_is_empty_is_named(name: str) -> None:
    with pytest.raises(ConfigError, match=rf"^--{name}: is empty\. Name "):
        selectors("--image-id", "7", f"--{name}", "")


@pytest.mark.parametrize("name", ["image-id", "cluster"])
@pytest.mark.parametrize("number", [str(2**63), str(-(2**63) - 1), "9" * 23, "7.0", "ann"])
def test_an_id_has_64_bits(name: str, number: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        selectors(f"--{name}={number}")
    assert f"argument --{name}: {number} is no id: give a whole number of 64 bits" in capsys.readouterr().err
    assert selectors(f"--{name}={2**63 - 1}", f"--{name}={-(2**63)}")


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
