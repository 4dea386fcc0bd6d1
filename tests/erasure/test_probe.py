"""The arguments of a probe, what is wrong with them, and the digest of what is shown."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

import pytest

from facesieve.core.errors import ConfigError
from facesieve.erasure.probe import Probe, add_probe, digest_of


def probe(*arguments: str) -> Probe:
    parser = ArgumentParser()
    add_probe(parser)
    return Probe.of(parser.parse_args(arguments))


def test_several_photographs_share_a_cosine_and_a_face() -> None:
    assert probe("--probe", "a", "--probe", "b", "--cosine", "0.5", "--face", "2") == Probe(("a", "b"), 0.5, 2)
    assert not probe()


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--probe", "a"), r"^--cosine: is not given\."),
        (("--probe", "a", "--cosine", "1"), r"^--cosine: 1 is not allowed\."),
        (("--probe", "", "--cosine", "0.5"), r"^--probe: is empty\."),
        (("--probe", "a", "--cosine", "0.5", "--face", "0"), r"^--face: 0 is not allowed\."),
        (("--cosine", "0.5"), r"^--cosine: is there without --probe\."),
        (("--face", "1"), r"^--face: is there without --probe\."),
    ],
)
def test_what_is_wrong_is_named(arguments: tuple[str, ...], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        probe(*arguments)


def test_photographs_are_read_and_an_absent_one_is_named_by_its_number(tmp_path: Path) -> None:
    (tmp_path / "a b.jpg").write_bytes(b"123456")
    place = str(tmp_path / "a b.jpg")
    assert Probe((place, f"file://{tmp_path}/a%20b.jpg"), 0.5).contents(3) == [b"1234", b"1234"]
    with pytest.raises(ConfigError, match=r"^--probe: file 2 cannot be read \(No such file or directory\)\.") as raised:
        Probe((place, str(tmp_path / "zebulon.jpg")), 0.5).contents(3)
    assert "zebulon" not in str(raised.value)


def test_a_digest_names_a_set() -> None:
    assert digest_of([1, 2]) == digest_of([2, 1]) != digest_of([12])
