"""Names of people that are no names of folders: whatever they are, no file is written outside the export root."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path

import pytest
from publishing import Decided, Shop
from pyspark.sql import SparkSession

from facesieve.core.sections import Images
from facesieve.embed.listing import listing
from facesieve.images.sources import source

RULE = r"(?s)^(?P<identity>.+)__\d+[.]jpg$"
LONG = "x" * 150 + "/" + "x" * 149
LISTED = ("..", ".", "...", "a/b", "etc/...", "new\nline\tand \x01", LONG, "Ann", "ann", "ANN", "%2E%2E", "a\\..\\b")
TARGETS = ("..", "../../escaped", "../../../escaped", "{root}/absolute", "a/b", "\x01\n", "y" * 300, "ANN", " ", "~")


def _state(root: Path) -> dict[str, tuple[str, int]]:
    """Digest and time of modification of every file below a folder."""
    files = [file for file in root.rglob("*") if file.is_file()]
    return {
        str(file.relative_to(root)): (hashlib.sha256(file.read_bytes()).hexdigest(), file.stat().st_mtime_ns)
        for file in files
    }


@pytest.fixture
def shop(spark: SparkSession, tmp_path: Path) -> Shop:
    """Every listed identity has two files; the rule takes it from the path."""
    shop = Shop(spark, tmp_path / "deep" / "er")
    for identity in LISTED:
        for number in range(2):
            uri = f"{identity}__{number}.jpg"
            (shop.images / uri).parent.mkdir(parents=True, exist_ok=True)
            (shop.images / uri).write_bytes(uri.encode())
    return shop


def test_no_name_leads_out_of_the_export_root(shop: Shop, tmp_path: Path) -> None:
    images = Images(root=str(shop.images), identity=RULE, ignore=())
    tree = source(images)
    rows = listing(tree.images(shop.spark), None, images, tree.fetch()).select("uri", "identity").collect()
    assert {row.identity for row in rows} == set(LISTED)
    targets = [target.format(root=tmp_path) for target in TARGETS]
    first, second = (sorted(row for row in rows if f"__{number}." in row.uri) for number in range(2))
    decided = {row.uri: Decided("keep", row.identity) for row in first}
    decided |= {row.uri: Decided("move", row.identity, target) for row, target in zip(second, targets, strict=False)}
    before = _state(tmp_path)
    assert shop.apply("r1", decided, 'publish.outputs=["parquet","folders"]') == 0
    after = _state(tmp_path)
    assert {name: after[name] for name in before} == before
    written = {name.removeprefix("deep/er/export/") for name in after.keys() - before.keys()}
    ours = {name for name in written if name.startswith("r1/")}
    assert written - ours == {"CURRENT"}
    with (shop.export / "r1/folders/manifest.csv").open(newline="", encoding="utf-8") as file:
        manifest = list(csv.DictReader(file))
    assert {row["uri"]: row["identity"] for row in manifest} == {
        uri: each.moved_to or each.identity for uri, each in decided.items()
    }
    assert {name for name in ours if name.startswith("r1/folders/")} == {
        *(f"r1/folders/{row['path']}" for row in manifest),
        "r1/folders/README.md",
        "r1/folders/_SUCCESS",
        "r1/folders/manifest.csv",
    }
    folders = {row["identity"]: row["path"].split("/")[0] for row in manifest}
    assert all(len(row["path"].split("/")) == 2 for row in manifest)
    assert len({folder.casefold() for folder in folders.values()}) == len(folders) == len({*folders})
