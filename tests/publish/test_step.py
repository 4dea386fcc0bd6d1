"""Publish: dry runs, what an apply may change, and the proof before the commit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from publishing import Decided, Shop, writing
from pyspark.sql import SparkSession

from facesieve.core import tables
from facesieve.lake.catalog import Stamp
from facesieve.lake.run import Run
from facesieve.publish import table
from facesieve.publish.cleaned import cleaned
from facesieve.publish.step import publish

KEEP, DROP = Decided("keep"), Decided("drop")
HUNDRED = {f"{number}.jpg": KEEP for number in range(100)}


def changed(*numbers: int, to: Decided = DROP) -> dict[str, Decided]:
    return HUNDRED | {f"{number}.jpg": to for number in numbers}


@pytest.fixture
def shop(spark: SparkSession, tmp_path: Path) -> Shop:
    return Shop(spark, tmp_path)


def test_a_dry_run_writes_decisions_alone_and_says_what_an_apply_would_change(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shop.dry("r1", HUNDRED) == 0
    assert set(shop.snapshots()) == {"listing", "embeddings", "decisions"}
    assert not shop.export.exists()
    assert "dry run, 100 images would be published; publish.apply" in capsys.readouterr().err
    assert shop.apply("r2", changed(*range(50))) == 0, "the first apply is free, whatever a dry run had decided"
    before = shop.snapshots()
    assert shop.dry("r3", changed(*range(46), 60)) == 0
    summary = capsys.readouterr().err
    assert "53 images would be published; of 50 published images 1 would change, 0 are gone, 4 would come in" in summary
    assert "WARNING" not in summary
    assert shop.dry("r4", changed(*range(90))) == 0
    assert "WARNING: publish: an apply would be refused. 40 of 50 (80.0%) published" in capsys.readouterr().err
    assert shop.snapshots() == before | {"decisions": shop.snapshots()["decisions"]}


def test_an_apply_is_measured_against_what_is_published(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    assert shop.apply("r1", changed(0, 1)) == 0
    new = {f"new{number}.jpg": DROP for number in range(50)}
    assert shop.dry("r2", changed(*range(10, 40))) == 0, "what is only decided is not what is compared with"
    assert shop.apply("r3", changed(1, 2, 3, 4, 5) | new) == 0
    facts = shop.record("r3")["stages"]["publish"]
    assert [facts[name] for name in ("known", "changed", "gone", "added", "rows_out")] == [98, 4, 0, 1, 95]
    before = shop.snapshots()
    assert shop.apply("r4", changed(*range(20)) | new) == 3
    assert "15 of 95 (15.8%) published images would leave the cleaned data set" in capsys.readouterr().err
    assert shop.snapshots() == before
    assert shop.record("r4")["status"] == "refused"
    assert shop.apply("r5", changed(*range(20)) | new, "publish.max_change=0.16") == 0


def test_growth_is_no_change(shop: Shop) -> None:
    """A first apply that published nothing, as of folders that are too small, leaves the next apply free."""
    nothing = dict.fromkeys(HUNDRED, DROP)
    assert shop.apply("r1", nothing) == 0
    assert shop.cleaned() == {}
    assert shop.apply("r2", HUNDRED | {"new.jpg": KEEP}) == 0
    assert len(shop.cleaned()) == 101
    grown = HUNDRED | {f"new{number}.jpg": KEEP for number in range(300)}
    assert shop.apply("r3", {"new.jpg": KEEP} | grown, "publish.max_change=0", "publish.max_gone=0") == 0


def test_images_that_are_gone_are_bounded_apart(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    assert shop.apply("r1", changed(0)) == 0
    half = {uri: decided for number, (uri, decided) in enumerate(HUNDRED.items()) if number % 2}
    assert shop.apply("r2", half) == 3
    message = capsys.readouterr().err
    assert "49 of 99 (49.5%) published images are gone from the source, more than publish.max_gone = 0.2" in message
    assert "publish.max_change" not in message
    most = dict(list(HUNDRED.items())[1:])
    assert shop.apply("r3", most, "publish.max_gone=0") == 0, "an image that was not published may go"
    some = dict(list(HUNDRED.items())[11:])
    assert shop.apply("r4", some, "publish.max_change=0") == 0, "who is gone has not changed"
    assert "WARNING: publish: 10 of 99 published images are gone from the source" in capsys.readouterr().err
    assert shop.record("r4")["stages"]["publish"]["gone"] == 10


def test_a_move_to_another_person_is_a_change(shop: Shop) -> None:
    assert shop.apply("r1", changed(*range(10), to=Decided("move", "Ann", "Bob"))) == 0
    assert shop.apply("r2", changed(*range(10), to=Decided("move", "Ann", "Cem"))) == 3


def test_after_undo_the_measure_is_what_is_published_again(shop: Shop) -> None:
    assert shop.apply("r1", HUNDRED) == 0
    assert shop.apply("r2", changed(*range(50)), "publish.max_change=1") == 0
    assert shop.undo("r2") == 0
    assert shop.apply("r3", changed(*range(50))) == 3
    assert shop.apply("r4", changed(0, 1)) == 0
    for run in ("r4", "r1"):
        assert shop.undo(run) == 0
    assert shop.apply("r5", changed(*range(50))) == 0, "nothing is published any more"


@pytest.mark.long
def test_what_other_hands_took_out_comes_in_again_and_expired_decisions_hide_no_change(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shop.apply("r1", HUNDRED) == 0
    shop.spark.sql(f"DELETE FROM lake.{shop.namespace}.cleaned WHERE uri = '99.jpg'")
    assert shop.dry("r2", changed(*range(50))) == 0
    shop.spark.sql(
        f"CALL lake.system.expire_snapshots(table => '{shop.namespace}.decisions', retain_last => 1, "
        "older_than => TIMESTAMP '2999-01-01 00:00:00')"
    )
    capsys.readouterr()
    assert shop.apply("r3", changed(*range(50))) == 3
    assert "50 of 99 (50.5%) published images would leave" in capsys.readouterr().err
    assert shop.apply("r4", HUNDRED) == 0
    assert len(shop.cleaned()) == 100


def test_a_row_lost_on_the_way_is_seen_and_is_never_the_table(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shop.apply("r1", changed(0)) == 0
    before = shop.snapshots()
    whole = cleaned
    with monkeypatch.context() as patched:
        patched.setattr(table, "cleaned", lambda *tables: whole(*tables).where("uri <> '7.jpg'"))
        assert shop.apply("r2", HUNDRED) == 1
    assert "100 faces were decided to be published, cleaned has 99: 1 missing, 0 extra" in capsys.readouterr().err
    assert shop.snapshots() == before | {"decisions": shop.snapshots()["decisions"]}
    assert shop.apply("r3", HUNDRED) == 0
    assert len(shop.cleaned()) == 100


def test_a_table_altered_by_other_hands_is_not_taken_for_what_was_decided(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shop.apply("r1", HUNDRED) == 0
    written = shop.lake.snapshot(tables.CLEANED)
    rows = shop.lake.read(tables.CLEANED, written).where("uri <> '7.jpg'")
    shop.lake.overwrite(tables.CLEANED, rows, Stamp("other hands", written.key, written.inputs), written)
    assert shop.apply("r2", HUNDRED) == 1
    assert "reconciliation is broken" in capsys.readouterr().err


def crowd(run: Run) -> None:
    """Six photographs without a name show the persons of clusters 7 and 8; one of Zoe's folder shows both as well."""
    images: list[dict[str, Any]] = [
        {"image_id": number, "uri": f"{number}.jpg", "sha256": f"sha of {number}"} for number in range(7)
    ]
    faces = [image | {"face_id": 10 * image["image_id"] + rank} for image in images for rank in (1, 2)]
    names = [{"identity": "Zoe" if image["image_id"] == 6 else None} for image in images]
    rows: dict[tables.Table, list[dict[str, Any]]] = {
        tables.LISTING: [image | name for image, name in zip(images, names, strict=True)],
        tables.EMBEDDINGS: [face | {"face_rank": face["face_id"] % 10, "vector": [0.6, 0.8]} for face in faces],
        tables.CLUSTERS: [
            {"scope": "global", "face_id": face["face_id"], "cluster_id": 6 + face["face_id"] % 10} for face in faces
        ],
        tables.DECISIONS: [
            image | name | {"verdict": "keep", "reasons": [], "face_id": 10 * image["image_id"] + 1, "cluster_id": 7}
            for image, name in zip(images, names, strict=True)
        ],
    }
    for written, rows_of_table in rows.items():
        writing(written, rows_of_table)(run)


@pytest.mark.long
def test_an_image_of_several_people_is_published_for_each_if_asked(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    apply, people = "publish.apply=true", "publish.per_face=true"

    def published() -> dict[str | None, set[int]]:
        rows = shop.lake.read(tables.CLEANED, shop.lake.snapshot(tables.CLEANED)).collect()
        return {name: {row.face_id for row in rows if row.identity == name} for name in {row.identity for row in rows}}

    assert shop.run("dry", crowd, publish, sets=(people,)) == 0
    assert "7 images (13 faces) would be published" in capsys.readouterr().err
    assert shop.run("each", crowd, publish, sets=(apply, people, 'publish.outputs=["parquet"]')) == 0
    ann, bob = {10 * number + 1 for number in range(6)}, {10 * number + 2 for number in range(6)}
    assert published() == {"Zoe": {61}, "cluster-7": ann, "cluster-8": bob}
    assert len(pq.read_table(shop.export / "each" / "parquet")) == 13
    assert shop.run("plain", crowd, publish, sets=(apply,)) == 3, "six images would leave the second person's"
    assert "6 of 7 (85.7%) published images would leave" in capsys.readouterr().err
    assert shop.run("again", crowd, publish, sets=(apply, people)) == 0
    assert shop.record("again")["stages"]["publish"]["reused"]
    assert shop.run("larger", crowd, publish, sets=(apply, people, "decide.min_faces=8", "publish.max_change=1")) == 0
    assert published() == {"Zoe": {61}, "cluster-7": ann}, "no cluster is so large: what the verdicts say remains"
    assert any("publish.per_face changes nothing" in text for text in shop.record("larger")["warnings"])
    assert not shop.record("each")["warnings"]
    assert [shop.undo(run) for run in ("larger", "again", "each")] == [0, 0, 0]
    assert published() == {}
