"""Prometheus' text format: metrics written as text, and one number read back from such a text.

The format is version 0.0.4 of "Exposition formats" in Prometheus' documentation. It is a few lines of text, so that
it is written here and a job needs no client library; the tests read it with Prometheus' own parser.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple


class Metric(NamedTuple):
    """A gauge: its name, what it means, and its values by label values (the empty tuple where it has no label)."""

    name: str
    about: str
    labels: tuple[str, ...]
    values: Mapping[tuple[str, ...], float]


def gauge(name: str, about: str, value: float | None) -> Metric:
    """Return a metric without labels; without a value, where there is none."""
    return Metric(name, about, (), {} if value is None else {(): value})


def gauges(name: str, about: str, label: str, values: Mapping[str, float | None]) -> Metric:
    """Return a metric with one label: label value -> value; what is None is left out."""
    return Metric(name, about, (label,), {(key,): value for key, value in values.items() if value is not None})


def text_of(metrics: Iterable[Metric], everywhere: Mapping[str, str]) -> str:
    r"""Write metrics, each sample with the labels `everywhere` too; a metric without a value is left out.

    >>> print(text_of([gauges("faces", "Faces.", "scope", {"global": 3, "identity": None})], {"command": "sieve"}))
    # HELP faces Faces.
    # TYPE faces gauge
    faces{command="sieve",scope="global"} 3
    <BLANKLINE>
    """
    lines: list[str] = []
    for metric in metrics:
        if metric.values:
            lines += [f"# HELP {metric.name} {_escaped(metric.about)}", f"# TYPE {metric.name} gauge"]
        for values, value in metric.values.items():
            labels = {**everywhere, **dict(zip(metric.labels, values, strict=True))}
            lines.append(f"{metric.name}{_labels(labels)} {_number(value)}")
    return "".join(f"{line}\n" for line in lines)


def value_in(text: str, name: str, labels: Mapping[str, str]) -> float | None:
    """Return the value of the sample that `text_of` wrote with this name and these labels; None if there is none."""
    line = re.compile(rf"^{re.escape(name + _labels(labels))} (\S+)$", re.MULTILINE)
    sample = line.search(text)
    try:
        value = float(sample[1]) if sample else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    quoted = (f'{name}="{_escaped(value).replace(chr(34), chr(92) + chr(34))}"' for name, value in labels.items())
    return f"{{{','.join(quoted)}}}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _number(value: float) -> str:
    if isinstance(value, int):
        return str(int(value))
    if math.isfinite(value):
        return repr(value)
    return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
