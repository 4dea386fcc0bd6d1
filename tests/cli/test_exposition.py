"""The text format, against Prometheus' own parser."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from facesieve.cli.exposition import Metric, gauge, gauges, text_of, value_in

NAMES = st.from_regex(r"[a-z_][a-z0-9_]{0,20}", fullmatch=True)
# The parser splits lines as Python does; Prometheus itself ends them at \n alone.
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]) | st.just("\n"), max_size=20)
METRICS = st.builds(
    gauges,
    NAMES,
    TEXTS,
    st.just("word"),
    st.dictionaries(TEXTS, st.integers(-(2**53), 2**53) | st.floats(), min_size=1, max_size=4),
)


@given(st.lists(METRICS, max_size=4, unique_by=lambda metric: metric.name), TEXTS)
def test_prometheus_reads_what_was_written(metrics: list[Metric], command: str) -> None:
    families = list(text_string_to_metric_families(text_of(metrics, {"command": command})))
    assert [(each.name, each.type) for each in families] == [(metric.name, "gauge") for metric in metrics]
    for family, metric in zip(families, metrics, strict=True):
        samples = {sample.labels["word"]: sample for sample in family.samples}
        assert {sample.labels["command"] for sample in family.samples} == {command}
        assert samples.keys() == {word for (word,) in metric.values}
        for (word,), value in metric.values.items():
            assert _same(samples[word].value, value)


def _same(read: float, written: float) -> bool:
    return read == written or (math.isnan(read) and math.isnan(written))


@given(TEXTS, TEXTS, st.integers(0, 2**53) | st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_read_back(command: str, other: str, value: float) -> None:
    text = text_of([gauge("a", "b", value), gauge("ab", "b", 1)], {"command": command})
    assert value_in(text, "a", {"command": command}) == value
    assert (value_in(text, "a", {"command": other}) is None) == (other != command)


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    value = value_in(text, "a", {})
    assert value is None or math.isfinite(value)


def test_what_is_no_number_is_none() -> None:
    assert value_in("a twelve\n", "a", {}) is None
    assert value_in("a NaN\n", "a", {}) is None
    assert value_in("a 12\n", "a", {}) == 12


def test_a_metric_without_a_value_has_no_lines() -> None:
    assert text_of([gauge("a", "A.", None), gauges("b", "B.", "c", {"d": None})], {}) == ""
