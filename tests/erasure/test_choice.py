"""A probe alone erases nothing: what was shown must be confirmed, and still be what is chosen."""

from __future__ import annotations

from argparse import ArgumentParser
from dataclasses import replace

import erasable
import lapsed
import pytest
from pyspark.sql import SparkSession
from small_lake import small_lake

from facesieve.core import tables
from facesieve.core.config import Config
from facesieve.core.errors import ConfigError
from facesieve.core.pseudonyms import pseudonym
from facesieve.core.sections import Lake
from facesieve.erasure.choice import Choice, add_choice, choose
from facesieve.erasure.probe import digest_of
from facesieve.lake.side_job import SideJob


def choice(*arguments: str) -> Choice:
    parser = ArgumentParser()
    add_choice(parser)
    return Choice.of(parser.parse_args(arguments))


PROBE = ("--probe", "a", "--cosine", "0.5")


def test_a_probe_is_confirmed_before_it_is_applied() -> None:
    assert choice(*PROBE).unconfirmed
    with pytest.raises(ConfigError, match=r"^--confirm: is not given, and a probe alone erases nothing\."):
        choice(*PROBE).refuse_unconfirmed()
    choice(*PROBE, "--confirm", "x").refuse_unconfirmed()
    choice("--image-id", "3").refuse_unconfirmed()
    assert choice("--image-id", "3").with_images([5, 3]).image_id == (3, 5)


def test_other_images_than_those_shown_are_refused() -> None:
    confirmed = choice(*PROBE, "--confirm", digest_of([3, 7]))
    confirmed.check([7, 3])
    with pytest.raises(ConfigError, match=r"^--confirm: other images are chosen than those that were shown\."):
        confirmed.check([3, 7, 9])


def test_nothing_is_not_everything() -> None:
    with pytest.raises(ConfigError, match="nothing says who is meant"):
        choice()


def test_the_digest_names_the_choice_by_what_was_confirmed() -> None:
    first, second = choice(*PROBE, "--confirm", "x"), choice("--probe", "b", *PROBE[2:], "--confirm", "x")
    assert first.digest == second.digest, "the photograph may be among what an erasure has deleted"
    others = [choice(*PROBE), choice(*PROBE[:3], "0.6", "--confirm", "x"), choice(*PROBE, "--uri", "a")]
    assert len({first.digest, *(each.digest for each in others)}) == 4
    assert choice("--uri", "a").digest == choice("--uri", "a").selectors.digest


def test_names_are_given_as_they_are_also_where_the_tables_hold_pseudonyms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACESIEVE_NAMES_KEY", "k" * 32)
    named = choice("--identity", "Ann")
    assert named.pseudonyms(Lake()) == {}
    assert named.pseudonyms(Lake(store_names=False)) == {pseudonym(b"k" * 32, "Ann"): "Ann"}


@pytest.mark.parametrize(("asked", "warned"), [("Zoe\u0301", 1), (" ZOÉ", 1), ("Zoe", 0), ("Zoé", 0)])
def test_another_spelling_of_a_name_is_told_and_not_which(named_lake: SideJob, asked: str, warned: int) -> None:
    job = replace(named_lake, warnings=[])
    chosen = choose(job, choice("--identity", asked), "")
    assert len(chosen.subject.images) == (asked == "Zoé")
    assert len(job.warnings) == warned
    assert not any("Zoé" in each or "ann" in each for each in job.warnings)
    assert all("differs from one that was asked for in Unicode form, letter case or blanks" in e for e in job.warnings)


@pytest.fixture(scope="module")
def named_lake(spark: SparkSession) -> SideJob:
    job = lapsed.job_on(spark, small_lake(spark), Config())
    rows = [erasable.image(1), erasable.image(2) | {"identity": "Zoé"}]
    erasable.put(spark, job.lake, tables.LISTING, rows)
    erasable.put(spark, job.lake, tables.LISTING, [erasable.image(1)], "later")
    return job
