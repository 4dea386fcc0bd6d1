"""The tables and exports as others read them: each piece of code that the pages show is run as it stands there."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from pages import PAGES, blocks, snippets
from PIL import Image
from publishing import Decided, Shop
from pyspark.sql import SparkSession

SNIPPETS = snippets(PAGES["docs/reading.md"])

QUOTED = 'Ann, the "first"'
EXPECTED = {"1/a.png": "007", "1/b.png": "NA", "2/c.jpg": QUOTED, "2/d.jpg": QUOTED, "f.png": "cluster--5"}
"""Identity by uri of what is published."""
LABELS = {"007": 0, QUOTED: 1, "NA": 2, "cluster--5": 3}


def _picture(uri: str, shade: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (40, 30), (shade, shade, shade)).save(file, "PNG" if uri.endswith("png") else "JPEG")
    return file.getvalue()


def _images() -> dict[str, Decided]:
    decided = {
        "1/a.png": Decided("keep", "007"),
        "1/b.png": Decided("move", "007", "NA"),
        "2/c.jpg": Decided("keep", QUOTED),
        "2/d.jpg": Decided("keep", QUOTED),
        "2/e.jpg": Decided("drop", QUOTED),
        "f.png": Decided("keep", None, cluster=-5),
    }
    return {uri: replace(each, content=_picture(uri, 40 * at)) for at, (uri, each) in enumerate(decided.items())}


@pytest.fixture(scope="module")
def shop(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A small run that has been applied, with both exports."""
    shop = Shop(spark, tmp_path_factory.mktemp("readers"))
    images = _images()
    for uri, decided in images.items():
        (shop.images / uri).parent.mkdir(exist_ok=True)
        (shop.images / uri).write_bytes(decided.content)
    assert shop.apply("r1", images, 'publish.outputs=["parquet","folders"]') == 0
    return shop


@pytest.fixture(scope="module")
def place(spark: SparkSession, shop: Shop) -> Path:
    """A folder in which the paths of the pages lead to the lake and the exports of the run."""
    root = shop.export.parent
    (root / "build/demo/lake").mkdir(parents=True)
    (root / "build/demo/export").symlink_to(shop.export)
    warehouse = Path(spark.conf.get("spark.sql.catalog.lake.warehouse") or "")
    (root / "build/demo/lake/faces").symlink_to(warehouse / shop.namespace)
    return root


@pytest.fixture
def read(place: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
    monkeypatch.chdir(place)

    def run(*names: str) -> dict[str, Any]:
        namespace: dict[str, Any] = {}
        for snippet in names:
            exec(compile(SNIPPETS[snippet], f"docs/reading.md: {snippet}", "exec"), namespace)
        return namespace

    return run


def test_pandas(read: Callable[..., dict[str, Any]]) -> None:
    names = read("export", "pandas")
    faces, labels, manifest = names["faces"], names["labels"], names["manifest"]
    assert dict(zip(faces["uri"], faces["identity"], strict=True)) == EXPECTED
    assert dict(zip(faces["identity"], faces["label"], strict=True)) == LABELS
    np.testing.assert_allclose(np.stack(faces["vector"]), [[0.6, 0.8]] * len(EXPECTED), rtol=1e-6)
    assert labels.values.tolist() == [[0, "007", 1], [1, QUOTED, 2], [2, "NA", 1], [3, "cluster--5", 1]]
    assert dict(zip(manifest["uri"], manifest["identity"], strict=True)) == EXPECTED
    assert dict(zip(manifest["identity"], manifest["label"], strict=True)) == LABELS
    assert manifest["image_id"].dtype == np.int64


def test_pyarrow(read: Callable[..., dict[str, Any]]) -> None:
    names = read("export", "pyarrow")
    assert names["vectors"].shape == (len(EXPECTED), 2)
    assert names["vectors"].dtype == np.float32
    assert sorted(names["some"]["label"].to_pylist()) == [0, 1, 1, 2, 3]


def test_pyiceberg(read: Callable[..., dict[str, Any]]) -> None:
    rows = read("pyiceberg")["rows"].to_pylist()
    assert {row["uri"]: row["identity"] for row in rows} == EXPECTED
    assert {row["identity"]: row["label"] for row in rows} == LABELS


def test_decisions_by_pyiceberg(read: Callable[..., dict[str, Any]]) -> None:
    assert sorted(read("decisions")["decisions"]["verdict"].to_pylist()) == ["drop", *["keep"] * 4, "move"]


def test_the_paths_of_candidates_are_told(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The piece is run for two images, with their ids in place of those of the page."""
    monkeypatch.chdir(place)
    table, names = snippets(PAGES["docs/erasure.md"])["paths"], dict[str, Any]()
    every, sought = re.sub(r'In\("image_id", ids\)', '"image_id IS NOT NULL"', table), re.compile(r"(?m)^ids = .*$")
    exec(compile(every, "docs/erasure.md: paths", "exec"), names)
    ids = {uri: image for image, uri in names["uris"].items()}
    assert set(ids) == set(_images())
    capsys.readouterr()
    chosen = sorted([ids["1/a.png"], ids["2/e.jpg"]])
    exec(compile(sought.sub(f"ids = {chosen}", table), "docs/erasure.md: paths", "exec"), {})
    told = capsys.readouterr().out.splitlines()
    assert sorted(told) == sorted(f"{ids[uri]} {uri}" for uri in ("1/a.png", "2/e.jpg"))


def test_the_readme_shows_the_same_code() -> None:
    code, _, _ = SNIPPETS["decisions"].partition("  # pandas")
    assert snippets(PAGES["README.md"])["decisions"].strip() == code.strip()


def test_spark(spark: SparkSession, shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    script = SNIPPETS["spark"].replace("lake.faces.", f"lake.{shop.namespace}.")
    names: dict[str, Any] = {"spark": spark}
    exec(compile(script, "docs/reading.md: spark", "exec"), names)
    assert "|keep|4|" in capsys.readouterr().out.replace(" ", "")
    assert set(names["after"]) >= {"decisions", "cleaned"}


def test_what_a_check_finds_is_shown(spark: SparkSession, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The check of the page refuses an apply; then the piece of the page shows what it finds."""
    shop = Shop(spark, tmp_path)
    check = 'publish.checks=["conf/checks/no_identity_halved.sql"]'
    images = _images()
    dropped = dict.fromkeys(("2/c.jpg", "2/d.jpg"), Decided("drop", QUOTED))
    assert shop.apply("20261124T081500-3fa9", images) == 0
    assert shop.apply("r2", images | dropped, check, "publish.max_change=1") == 3
    script = snippets(PAGES["docs/decisions.md"])["audit"].replace("lake.faces.", f"lake.{shop.namespace}.")
    capsys.readouterr()
    exec(compile(script, "docs/decisions.md: audit", "exec"), {"spark": spark})
    assert "|2|0|" in capsys.readouterr().out.replace(" ", "")
    queries = [block for block in blocks(PAGES["docs/decisions.md"], "sql") if "VERSION AS OF" in block]
    rows = [spark.sql(query.replace("lake.faces.", f"lake.{shop.namespace}.")).count() for query in queries]
    assert rows == [3, 5]


def test_duckdb(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)
    run = (place / "build/demo/export/CURRENT").read_text()
    rows = duckdb.execute(SNIPPETS["duckdb"].replace("<run>", run)).fetchall()
    assert dict(rows) == {identity: list(EXPECTED.values()).count(identity) for identity in LABELS}


def test_tensorflow(place: Path) -> None:
    """In a process of its own: TensorFlow is not to be loaded beside the tests' JVM."""
    report = """
import json
batches = [(images.numpy(), labels.numpy().tolist()) for images, labels in train]
pairs = [pair for images, labels in batches for pair in zip(labels, images)]
shades = sorted((label, round(float(image.mean()))) for label, image in pairs)
print(json.dumps([list(batches[0][0].shape), classes, shades]))
"""
    script = "\n".join([*(SNIPPETS[name] for name in ("export", "pandas", "tensorflow")), report])
    ended = subprocess.run([sys.executable, "-c", script], cwd=place, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    shape, classes, shades = json.loads(ended.stdout.splitlines()[-1])
    assert (shape, classes) == ([5, 160, 160, 3], 4)
    assert shades == [[0, 0], [1, 80], [1, 120], [2, 40], [3, 200]]
