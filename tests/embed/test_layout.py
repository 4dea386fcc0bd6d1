"""The layout of a source: people, images of each, folders, and what misleads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from pyspark.sql import Row, SparkSession

from facesieve.core.sections import Images
from facesieve.embed.layout import Layout, layout
from facesieve.embed.listing import listing
from facesieve.images.identity import identity_rule, united
from facesieve.images.sources import source

URIS = ("Ann/0/1.jpg", "Ann/0/2.jpg", "Ann/1/3.jpg", "Bea/0/4.jpg", "bea/x/5.jpg", "flat.jpg", "Ann/notes.txt")


@pytest.fixture
def tree(tmp_path: Path) -> Images:
    for uri in URIS:
        (tmp_path / uri).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / uri).write_bytes(uri.encode())
    return Images(root=str(tmp_path))


def _layout(spark: SparkSession, images: Images) -> Layout:
    origin = source(images)
    return layout(origin.images(spark), images, origin.ignored(spark))


def test_folders_of_sessions(spark: SparkSession, tree: Images) -> None:
    shape = _layout(spark, tree)
    assert shape.record.text == (
        "3 identities, 1 to 3 images each; 1 image without an identity; 0 to 2 levels of folders; "
        "1 file is not an image: 1 .txt"
    )
    (warning,) = shape.warnings
    assert 'set images.identity = "top"' in warning
    assert shape.record.repeated_folders == 1


def test_a_folder_below_a_person_is_told_of(spark: SparkSession, tree: Images) -> None:
    (Path(tree.root) / "Ann" / "0.jpg").write_bytes(b"x")
    _, nested = _layout(spark, tree).warnings
    assert "2 folders lie below another folder of images, with 3 images" in nested
    assert len(_layout(spark, replace(tree, identity="top")).warnings) == 1


def test_people_by_the_first_folder(spark: SparkSession, tree: Images) -> None:
    shape = _layout(spark, replace(tree, identity="top"))
    assert (shape.record.identities, shape.record.most, shape.record.same_names) == (3, 3, 1)
    (warning,) = shape.warnings
    assert 'images.same_names = "unite"' in warning


def test_united_names_are_one_identity_of_the_listing(spark: SparkSession, tree: Images) -> None:
    settings = replace(tree, identity="top", same_names="unite")
    shape = _layout(spark, settings)
    assert (shape.warnings, dict(shape.united)) == ((), {"bea": "Bea"})
    origin = source(settings)
    rule = united(identity_rule(settings), shape.united)
    rows: list[Row] = listing(origin.images(spark), None, settings, origin.fetch(), None, rule).collect()
    assert sorted({row.identity or "" for row in rows}) == ["", "Ann", "Bea"]


def test_no_names(spark: SparkSession, tree: Images) -> None:
    shape = _layout(spark, replace(tree, identity="none"))
    assert shape.warnings == ()
    assert shape.record.text.startswith("6 images without identities; 0 to 2 levels of folders")
