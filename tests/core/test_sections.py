"""The checks of single keys, and the names that keys bore before."""

from __future__ import annotations

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
