"""The records of evaluate and calibrate, as a person reads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from facesieve.core.console import aligned, count

_AGAINST = {"file": "the truth table", "listing": "the listing's identities"}


def of_evaluation(record: Mapping[str, Any]) -> str:
    """Return the text of an evaluation's record."""
    parts = [f"Run {record['run']}, against {_AGAINST[record['truth']]}"]
    for scope, figures in record["scopes"].items():
        parts += [f"Scope {scope}", _counts(figures), _agreement(figures), _purity(figures), _proxies(figures)]
    parts += [f"WARNING: {text}" for text in record["warnings"]]
    return "\n\n".join(part for part in parts if part)


def share(value: float | None) -> str:
    """Write a share in percent; a dash where there is none."""
    return "-" if value is None else f"{value:.2%}"


def _counts(figures: Mapping[str, Any]) -> str:
    names = {
        "faces in clusters": "faces",
        "compared": "compared",
        "left out: without identity": "without_identity",
        "left out: further faces of an image": "further_faces",
        "people compared": "people",
        "clusters compared": "clusters",
    }
    return aligned([["", "number"], *([name, count(figures[key])] for name, key in names.items())])


def _agreement(figures: Mapping[str, Any]) -> str:
    if figures["bcubed"] is None:
        return ""
    rows = [["agreement", "precision", "recall", "F"]]
    for name, key in (("B-cubed", "bcubed"), ("pairwise", "pairwise")):
        rows.append([name, *(f"{figures[key][part]:.4f}" for part in ("precision", "recall", "f"))])
    lines = [aligned(rows), f"normalised mutual information: {figures['nmi']:.4f}"]
    if figures["false_matches"] is not None:
        lines.append(f"false matches per face, counted: {figures['false_matches']:.4f}")
    return "\n".join(lines)


def _purity(figures: Mapping[str, Any]) -> str:
    if figures["bcubed"] is None:
        return ""
    rows = [["faces compared in a cluster", "clusters", "faces", "purity"]]
    for band in figures["purity"]:
        rows.append([_band(band), count(band["clusters"]), count(band["faces"]), share(band["purity"])])
    return aligned(rows)


def _band(band: Mapping[str, Any]) -> str:
    if band["most"] is None:
        return f"{band['least']} and more"
    return str(band["least"]) if band["most"] == band["least"] else f"{band['least']} to {band['most']}"


def _proxies(figures: Mapping[str, Any]) -> str:
    several, doubled = figures["images_with_several_faces"], figures["images_with_two_in_one_cluster"]
    rows = [
        ["without identities", "number", "share"],
        ["images with several faces", count(several), ""],
        ["of them with two faces in one cluster", count(doubled), share(figures["two_in_one_cluster_share"])],
        ["faces alone in their cluster", count(figures["singletons"]), share(figures["singletons_share"])],
        ["faces of the largest cluster", count(figures["largest"]), share(figures["largest_share"])],
    ]
    return aligned(rows)


def of_calibration(record: Mapping[str, Any]) -> str:
    """Return the text of a calibration's record."""
    rows = [["cosine", "impostor scores above", "genuine scores below"]]
    for rate in record["rates"]:
        rows.append([f"{rate['cosine']:.4f}", share(rate["false_match"]), share(rate["false_non_match"])])
    parts = [
        f"Run {record['run']}, model {record['model']}",
        record["impostor"]["measured_on"],
        f"share of impostor pairs inside folders: {share(record['impostor_share'])}",
        _compared(record),
        aligned(rows),
        *(f"WARNING: {text}" for text in record["warnings"]),
        f"Written: {record['out']}, {record['svg']}. To use it: --set embed.model={record['out']}",
    ]
    return "\n\n".join(parts)


def _compared(record: Mapping[str, Any]) -> str:
    rows = [["profile", "former", "measured"]]
    keys = (("impostor", "intercept"), ("impostor", "slope"), ("identity", "cosine"), ("identity", "impostor_line"))
    for section, key in keys:
        former = record["former"][section]
        rows.append([f"{section}.{key}", f"{former[key]:g}" if former else "-", f"{record[section][key]:g}"])
    return aligned(rows)
