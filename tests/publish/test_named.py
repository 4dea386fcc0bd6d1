"""A lake without names: no file of it holds one, the results are those of a lake with names, and exports have them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import vector_people
from avro_blocks import unpacked
from publishing import Shop
from pyspark.sql import SparkSession

from facesieve.cluster.step import cluster
from facesieve.core import tables
from facesieve.core.pseudonyms import pseudonym
from facesieve.decide.step import decide
from facesieve.embed.step import embed
from facesieve.link.step import link
from facesieve.publish.step import publish

STEPS = (embed, link, cluster, decide, publish)
KEY = "0123456789abcdef" * 2
ANN, BOB, EVE = "Annabelle", "Bartholomew", "Evangeline"
OVERRIDES = f"uri,verdict,moved_to\n3.jpg,move,{EVE}\n9.jpg,move,{ANN}\n"


def run(shop: Shop, root: Path, *sets: str) -> dict[str, str]:
    """Sieve twelve vectors of two people, two of them moved by hand; return the identity by uri of the export."""
    (root / "mine.toml").write_text(vector_people.PROFILE)
    (root / "overrides.csv").write_text(OVERRIDES)
    (root / "protected.csv").write_text(f"identity\n{BOB}x\n")
    random = np.random.default_rng(3)
    centres = random.normal(size=(2, 16))
    vectors = np.repeat(centres, 8, axis=0) + random.normal(size=(16, 16)) / 5
    people, uris = [ANN] * 8 + [BOB] * 8, [f"{number}.jpg" for number in range(16)]
    np.savez(shop.images / "faces.npz", embeddings=vectors, labels=np.array(people), paths=np.array(uris))
    given = (f"embed.model={root}/mine.toml", "images.format=vectors", "publish.apply=true", "publish.max_change=1")
    further = (f"decide.overrides={root}/overrides.csv", f"decide.protected={root}/protected.csv")
    assert shop.run("r", *STEPS, sets=(*given, *further, "publish.outputs=['parquet', 'clean_list']", *sets)) == 0
    exported = pq.read_table(shop.export / "r/parquet").select(["uri", "identity"]).to_pylist()
    return {row["uri"]: row["identity"] for row in exported}


def texts(folder: Path) -> list[bytes]:
    """Every file below a folder: as it is, Avro unpacked, Parquet as its rows."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    rows = [repr(pq.read_table(file).to_pylist()).encode() for file in files if file.suffix == ".parquet"]
    return [file.read_bytes() for file in files] + [unpacked(file) for file in files if file.suffix == ".avro"] + rows


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hidden")


@pytest.mark.long
def test_no_file_of_the_lake_holds_a_name_and_the_results_are_the_same(
    spark: SparkSession, root: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (root / "key").write_text(KEY)
    plain, shop = Shop(spark, root / "plain"), Shop(spark, root / "shop")
    expected = run(plain, root)
    capfd.readouterr()
    assert run(shop, root, "lake.store_names=false", f"lake.names_key={root}/key") == expected
    assert set(expected.values()) == {ANN, BOB, EVE}, "exports bear names, also those that people gave"
    assert "are neither in the source nor" not in capfd.readouterr().err
    warehouse = Path(str(spark.conf.get("spark.sql.catalog.lake.warehouse")))
    holding = {name: _holding(warehouse / shop.namespace, name) for name in (ANN, BOB, EVE, KEY)}
    assert holding == dict.fromkeys((ANN, BOB, EVE, KEY), 0)
    assert _holding(warehouse / plain.namespace, ANN) > 0, "the search sees what is there"
    hidden = shop.cleaned()
    assert hidden == {uri: pseudonym(KEY.encode(), name) for uri, name in expected.items()}
    verdicts = [_verdicts(each) for each in (plain, shop)]
    assert verdicts[0] == verdicts[1]
    listed = (shop.export / "r/clean_list").rglob("*")
    assert any(ANN.encode() in file.read_bytes() for file in listed if file.is_file())


def test_a_path_that_tells_the_name_is_warned_of_and_no_key_is_exit_code_2(
    spark: SparkSession, root: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FACESIEVE_NAMES_KEY", raising=False)
    shop = Shop(spark, tmp_path)
    (tmp_path / "mine.toml").write_text(vector_people.PROFILE)
    vectors = np.eye(16, dtype=np.float32)[:4]
    uris = [f"{ANN}/1.jpg", f"{ANN.lower()}_2.jpg", "3.jpg", "Al.jpg"]
    labels = np.array([ANN, ANN, BOB, "Al"])
    np.savez(shop.images / "faces.npz", embeddings=vectors, labels=labels, paths=np.array(uris))
    sets = (f"embed.model={tmp_path}/mine.toml", "images.format=vectors", "lake.store_names=false")
    assert shop.run("none", embed, sets=sets) == 2
    assert "lake.names_key: is empty" in capfd.readouterr().err
    monkeypatch.setenv("FACESIEVE_NAMES_KEY", KEY)
    assert shop.run("told", embed, sets=sets) == 0
    assert "lake.store_names: 2 paths hold the name of their person" in capfd.readouterr().err


def _holding(folder: Path, name: str) -> int:
    return sum(name.encode() in text for text in texts(folder))


def _verdicts(shop: Shop) -> dict[str, tuple[str, list[str]]]:
    rows = shop.lake.read(tables.DECISIONS, shop.lake.snapshot(tables.DECISIONS)).collect()
    return {row.uri: (row.verdict, row.reasons) for row in rows}
