"""Editions: an export is written anew where a key that shapes it changes, and not where any other does."""

from __future__ import annotations

import dataclasses

import pytest

from facesieve.core.sections import OUTPUTS, Publish
from facesieve.publish.export_work import edition

PLAIN = Publish()


@pytest.mark.parametrize("output", OUTPUTS)
def test_the_edition_of_default_settings_is_the_version_alone(output: str) -> None:
    assert edition(output, 7, PLAIN) == "7"
    assert edition(output, 7, dataclasses.replace(PLAIN, validation=0.3, max_change=0.5, outputs=(output,))) == "7"


@pytest.mark.parametrize(
    ("key", "value", "shaped"),
    [
        ("split", "image", set(OUTPUTS)),
        ("order", "label", {"webdataset", "huggingface", "recordio"}),
        ("crop", True, {"webdataset", "huggingface", "recordio"}),
        ("crop_format", "jpeg", {"crops", "webdataset", "huggingface", "recordio"}),
        ("shard_images", 9, {"webdataset", "huggingface"}),
    ],
)
def test_a_key_changes_the_edition_of_what_it_shapes(key: str, value: object, shaped: set[str]) -> None:
    changed = dataclasses.replace(PLAIN, **{key: value})  # type: ignore[arg-type]
    assert {output for output in OUTPUTS if edition(output, 7, changed) != "7"} == shaped


def test_shares_count_where_something_is_split() -> None:
    split = dataclasses.replace(PLAIN, split="image")
    assert edition("parquet", 7, split) != edition("parquet", 7, dataclasses.replace(split, test=0.2))
