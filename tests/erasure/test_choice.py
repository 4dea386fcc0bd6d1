"""A probe alone erases nothing: what was shown must be confirmed, and still be what is chosen."""

from __future__ import annotations

from argparse import ArgumentParser

import pytest

from facesieve.core.errors import ConfigError
from facesieve.core.pseudonyms import pseudonym
from facesieve.core.sections import Lake
from facesieve.erasure.choice import Choice, add_choice
from facesieve.erasure.probe import digest_of


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
