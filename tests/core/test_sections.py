"""The checks of single keys, and the names that keys bore before."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from facesieve.core import config
from facesieve.core.errors import ConfigError


@pytest.fixture
def base(tmp_path: Path) -> str:
    file = tmp_path / "base.toml"
    file.write_text('[lake]\nroot = "/lake"\n[images]\nroot = "/images"\n')
    return str(file)


@pytest.mark.parametrize(("written", "rule"), [("2", "2"), ('"2"', "2"), ("top", "top"), ("none", "none")])
def test_identity_rules_as_they_are_written(base: str, written: str, rule: str) -> None:
    assert config.load(base, [], [f"images.identity={written}"]).images.identity == rule


@pytest.mark.parametrize("rule", ["(", "[a-z]+", "elsewhere", "0", "-1", "100", "true", "1.5", '"٢"'])
def test_identity_rule_must_name_its_group(base: str, rule: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config.load(base, [], [f"images.identity={rule}"])
    assert [fault.key for fault in caught.value.faults] == ["images.identity"]


@pytest.mark.parametrize(
    ("key", "value", "new"),
    [
        ("link.strangers", "3.0", "link.false_matches"),
        ("cluster.strangers", "10.0", "cluster.false_matches"),
        ("link.threshold_heap", "0.5", "link.threshold_global"),
        ("link.scope", "heap", "global"),
    ],
)
def test_an_old_key_or_scope_is_told_its_new_name(base: str, key: str, value: str, new: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config.load(base, [], [f"{key}={value}"])
    (fault,) = caught.value.faults
    assert fault.key == key
    assert f"was renamed to {new}" in str(fault)


PLACES = (
    "lake.root",
    "lake.scratch",
    "images.root",
    "images.labels",
    "embed.model",
    "cluster.constraints",
    "decide.overrides",
    "decide.protected",
    "publish.export_root",
)


def _faults(base: str, *sets: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        config.load(base, [], sets)
    return [str(fault) for fault in caught.value.faults]


def test_every_path_is_expanded_or_refused(base: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/users/ann")
    monkeypatch.delenv("ABSENT", raising=False)
    settings = config.as_dict(config.load(base, [], [f"{key}=~/{key}" for key in PLACES]))
    for key in PLACES:
        section, name = key.split(".")
        assert settings[section][name] == f"/users/ann/{key}"
    refused = _faults(base, *(f"{key}=$ABSENT/x" for key in PLACES))
    assert [fault.split(":")[0] for fault in refused] == list(PLACES)
    assert all("environment variable ABSENT is not set" in fault for fault in refused)


def test_every_key_that_is_a_path_says_so() -> None:
    words = {"root", "file", "path", "folder", "scratch", "dir"}
    for section in dataclasses.fields(config.Config):
        for field in dataclasses.fields(type(getattr(config.Config(), section.name))):
            if words & set(field.name.split("_")):
                assert field.metadata["place"], f"{section.name}.{field.name}"


def test_a_hub_is_not_read_from_here(base: str) -> None:
    (fault,) = _faults(base, "images.root=hf://datasets/ann/faces@main/data")
    assert "hf download ann/faces --repo-type dataset --local-dir FOLDER" in fault


@pytest.mark.parametrize("suffixes", ['["jpg"]', '[".jpg", "png"]', '[""]', '["."]', '["a/.jpg"]'])
def test_a_suffix_has_its_dot(base: str, suffixes: str) -> None:
    (fault,) = _faults(base, f"images.suffixes={suffixes}")
    assert "Use suffixes with their dot" in fault


@pytest.mark.parametrize(
    ("unit", "value"),
    [("cosine", 1.0), ("cosine", 45), ("cosine", -0.1), ("l2", 1.5), ("squared_l2", 2), ("inverse_l2", 0.7)],
)
def test_a_threshold_that_no_pair_could_have_is_refused(base: str, unit: str, value: float) -> None:
    (fault,) = _faults(base, f"link.unit={unit}", f"link.threshold_identity={value}")
    assert fault.startswith("link.threshold_identity: ")
    assert "Use a number above" in fault


def test_thresholds_that_pairs_have_are_taken(base: str) -> None:
    for unit, value in (("cosine", 0.6), ("l2", 1.1), ("squared_l2", 1.2), ("inverse_l2", 3), ("cosine", 0)):
        config.load(base, [], [f"link.unit={unit}", f"link.threshold_global={value}"])


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("images.suffixes", value) for value in ('["jpg"]', "[]", '["."]', '[".a/b"]', '[".jpg", "png"]')),
        *(("images.ignore", value) for value in ('["a/b"]', '[""]', '[" "]')),
    ],
)
def test_a_list_of_names_says_what_a_name_is(base: str, key: str, value: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config.load(base, [], [f"{key}={value}"])
    assert [fault.key for fault in caught.value.faults] == [key]


def test_lists_of_names_that_are_fine(base: str) -> None:
    images = config.load(base, [], ['images.suffixes=[".JPG", ".j2k"]', "images.ignore=[]"]).images
    assert (images.suffixes, images.ignore) == ((".JPG", ".j2k"), ())
