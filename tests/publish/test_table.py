"""The table `cleaned` is written, audited, and only then current: checks, crashes between, two runs at once, tags."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from publishing import Decided, Shop
from pyspark.sql import SparkSession

from facesieve.core import tables
from facesieve.lake import iceberg
from facesieve.publish import table as module

IMAGES = {f"{number}.jpg": Decided() for number in range(10)}
MORE = IMAGES | {"new.jpg": Decided("keep", "Bob")}
CHECK = "SELECT * FROM cleaned_staged WHERE identity = 'Bob'"


@pytest.fixture
def shop(spark: SparkSession, tmp_path: Path) -> Shop:
    return Shop(spark, tmp_path)


@pytest.fixture
def check(tmp_path: Path) -> Callable[..., str]:
    """Return a maker of the setting that names a check, and a second one that finds nothing."""

    def written(query: str, name: str = "no_bob.sql") -> str:
        (tmp_path / name).write_text(query)
        (tmp_path / "fine.sql").write_text("SELECT * FROM cleaned_staged WHERE label < 0")
        return f'publish.checks=["{tmp_path / "fine.sql"}","{tmp_path / name}"]'

    return written


def references(shop: Shop) -> dict[str, int]:
    return iceberg.existing(shop.spark, shop.lake.name_of(tables.CLEANED)).heads()


def rows(shop: Shop, version: str) -> int:
    name = shop.lake.name_of(tables.CLEANED)
    return shop.spark.sql(f"SELECT * FROM {name} VERSION AS OF '{version}'").count()


def test_a_check_that_finds_rows_lets_nothing_be_published(
    shop: Shop, check: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    outputs = 'publish.outputs=["parquet"]'
    assert shop.apply("r1", IMAGES, check(CHECK), outputs) == 0
    assert (
        shop.record("r1")["stages"]["publish"] | {"checks": 2, "tag": "run-r1"}
        == (shop.record("r1")["stages"]["publish"])
    )
    assert "publish: 2 checks passed" in capsys.readouterr().err
    before = shop.snapshots()
    assert shop.apply("r2", MORE, check(CHECK), outputs) == 3
    message = capsys.readouterr().err
    assert "refused: 1 of 2 publish.checks found rows: " in message
    assert "no_bob.sql (1). Nothing was published" in message
    assert "VERSION AS OF 'staged'" in message
    assert "Bob" not in message.replace("no_bob", "")
    assert shop.snapshots() == before
    assert (shop.current(), [file.name for file in shop.export.iterdir()].count("r2")) == ("r1", 0)
    assert shop.record("r2")["status"] == "refused"
    assert (rows(shop, "staged"), rows(shop, "run-r1")) == (11, 10)
    written = references(shop)["staged"]
    assert shop.apply("r3", MORE, outputs) == 0, "the check is gone: what was staged is published as it is"
    assert shop.record("r3")["stages"]["publish"]["reused"] is False, "the export is new"
    assert references(shop) == {
        "main": written,
        "run-r1": before["cleaned"],
        "run-r3": written,
    }
    assert shop.current() == "r2", "its export is that of the run that wrote the version"


def test_a_dry_run_says_what_the_checks_would_find(
    shop: Shop, check: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Also before anything is published: `cleaned` is there then, without a row."""
    seen = (
        "SELECT s.uri FROM cleaned_staged s LEFT JOIN cleaned c USING (image_id) "
        "WHERE c.image_id IS NULL AND s.label = 1 AND size(s.vector) = 2 AND length(s.sha256) = 64"
    )
    assert shop.dry("r1", MORE, check(seen)) == 0
    warning = "WARNING: publish: an apply would be refused. 1 of 2 publish.checks found rows: "
    assert warning in capsys.readouterr().err
    assert "cleaned" not in shop.snapshots()
    assert shop.apply("r2", MORE) == 0
    assert shop.dry("r3", MORE, check(seen)) == 0
    assert "WARNING" not in capsys.readouterr().err
    assert shop.dry("r4", {"0.jpg": Decided("drop")} | {"new.jpg": Decided("keep", "Bob")}, check(CHECK)) == 0
    both = capsys.readouterr().err
    assert "are gone from the source" in both
    assert "publish.checks found rows" in both


def test_a_check_that_cannot_be_asked_ends_before_anything_is_done(
    shop: Shop, check: Callable[..., str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for query in ("DROP TABLE cleaned", "SELECT nobody FROM cleaned", ""):
        assert shop.apply("r1", IMAGES, check(query)) == 2
        message = capsys.readouterr().err
        assert f"error: publish.checks: {tmp_path}/no_bob.sql" in message
        assert "Write one query over the views" in message
    assert shop.apply("r1", IMAGES, 'publish.checks=["nowhere.sql"]') == 2
    assert "publish.checks: nowhere.sql cannot be read (it does not exist)" in capsys.readouterr().err
    assert shop.snapshots() == {}, "not even images were listed"


def test_a_check_may_read_a_table_that_the_same_first_run_makes(shop: Shop, check: Callable[..., str]) -> None:
    images = {"a.jpg": Decided()}
    decisions = f"lake.{shop.namespace}.decisions"
    wrong = check("SELECT nobody FROM " + decisions)
    assert shop.apply("r1", images, wrong) == 2, "told when it is published"
    assert shop.lake.current(tables.CLEANED) is None or shop.cleaned() == {}
    assert shop.apply("r2", images, check(f"SELECT * FROM {decisions} WHERE uri <> 'a.jpg'")) == 0
    assert shop.cleaned() == {"a.jpg": "Ann"}


def test_a_check_that_fails_on_the_rows_publishes_nothing(
    shop: Shop, check: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert shop.apply("r1", IMAGES, check("SELECT 1 FROM cleaned_staged WHERE CAST(identity AS int) = 1")) == 2
    assert "no_bob.sql cannot be answered (CAST_INVALID_INPUT)" in capsys.readouterr().err
    assert shop.cleaned() == {}
    assert set(references(shop)) == {"main"}


def test_checks_are_asked_again_of_what_is_published_already(shop: Shop, check: Callable[..., str]) -> None:
    assert shop.apply("r1", MORE) == 0
    before = shop.snapshots()
    assert shop.apply("r2", MORE, check(CHECK)) == 3
    assert shop.snapshots() == before
    assert references(shop)["staged"] == before["cleaned"]
    assert shop.apply("r3", MORE) == 0
    assert shop.record("r3")["stages"]["publish"]["reused"]
    assert references(shop) == {"main": before["cleaned"], "run-r1": before["cleaned"]}
    assert shop.record("r3")["stages"]["publish"]["tag"] == "run-r1"


@pytest.mark.parametrize("place", ["prove_published", "_audit"])
def test_a_run_that_dies_between_writing_and_publishing_goes_on(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, check: Callable[..., str], place: str
) -> None:
    assert shop.apply("r1", IMAGES) == 0
    before = shop.snapshots()["cleaned"]

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(module, place, killed)
        assert shop.apply("r2", MORE, check("SELECT 1 FROM cleaned WHERE label < 0")) == 130
    assert (shop.snapshots()["cleaned"], set(references(shop))) == (before, {"main", "run-r1"})
    versions = len(shop.lake.versions(tables.CLEANED))
    assert shop.apply("r2", MORE) == 0
    assert len(shop.cleaned()) == 11
    assert shop.record("r2")["stages"]["publish"]["reused"] == (place == "_audit"), "what was audited is whole"
    assert len(shop.lake.versions(tables.CLEANED)) - versions == (0 if place == "_audit" else 2)
    assert set(references(shop)) == {"main", "run-r1", "run-r2"}


def test_a_branch_that_a_killed_run_left_does_no_harm(shop: Shop) -> None:
    assert shop.apply("r1", IMAGES) == 0
    name = shop.lake.name_of(tables.CLEANED)
    for branch in ("staged", "facesieve-29990101T000000-bb"):
        shop.spark.sql(f"ALTER TABLE {name} CREATE BRANCH `{branch}`")
    assert shop.apply("r2", MORE) == 0
    assert set(references(shop)) == {"main", "run-r1", "run-r2", "facesieve-29990101T000000-bb"}


def test_of_two_runs_at_once_the_second_is_refused(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The other run publishes while this one's version is audited; both have written on branches."""
    assert shop.apply("r1", IMAGES) == 0
    audit, other = module._audit, dict[str, Any]()

    def late(*arguments: Any) -> None:
        if not other:
            other["exit"] = -1
            other["exit"] = shop.apply("other", MORE)
            other["tables"] = shop.snapshots()
        audit(*arguments)

    monkeypatch.setattr(module, "_audit", late)
    few = dict(list(IMAGES.items())[:9])
    assert shop.apply("mine", few) == 3
    assert other["exit"] == 0
    assert "the table cleaned was moved by another run" in capsys.readouterr().err
    assert shop.snapshots()["cleaned"] == other["tables"]["cleaned"]
    assert len(shop.cleaned()) == 11
    assert set(references(shop)) == {"main", "run-r1", "run-other"}


def test_an_older_version_that_is_published_again_gets_a_second_tag(shop: Shop) -> None:
    for run, images in (("r1", IMAGES), ("r2", MORE), ("r3", IMAGES)):
        assert shop.apply(run, images, "publish.max_gone=1", "publish.keep_tags=2") == 0
    heads = references(shop)
    assert heads == {"main": heads["run-r3"], "run-r2": heads["run-r2"], "run-r3": heads["run-r3"]}
    assert (rows(shop, "run-r2"), rows(shop, "run-r3")) == (11, 10)
    assert shop.apply("r4", MORE, "publish.keep_tags=0") == 0
    assert set(references(shop)) == {"main"}


def test_undo_takes_the_tag_away(shop: Shop) -> None:
    assert shop.apply("r1", IMAGES) == 0
    assert shop.apply("r2", MORE) == 0
    assert shop.undo("r2") == 0
    assert set(references(shop)) == {"main", "run-r1"}
    assert shop.undo("r1") == 0
    assert set(references(shop)) == {"main"}
