"""Whole job on LFW by spark-submit: how well the clusters agree with the names, and what became of double names.

    python tests/bench/lfw.py                      # all cases, with a lake per model under build/bench
    python tests/bench/lfw.py mobilefacenet        # one of them

Needs the development data (FACESIEVE_DATA). Prints B-cubed and pairwise precision, recall and F over all faces and the
seconds of each stage; for the folders, the verdicts of byte-identical images that bear two names.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from bench_environment import DATA, ROOT, run_job
from published import Row, newest

from facesieve.assess.kernels.agreement import bcubed, pairwise

Settings = dict[str, object]

COLLECTION: Settings = {"images.identity": "none", "link.scope": "global"}
CASES: dict[str, tuple[str, Settings]] = {
    "mobilefacenet": ("mobilefacenet", COLLECTION),
    "facenet": ("facenet", COLLECTION),
    "facenet-cosine": ("facenet", COLLECTION | {"link.threshold_global": 0.7, "cluster.score": "cosine"}),
    "facenet-folders": ("facenet", {"images.identity": "folder", "link.scope": "identity"}),
}


def main(names: list[str]) -> None:
    """Run each case and measure it."""
    if not DATA.exists():
        print(f"skipped: {DATA} does not exist")
        return
    for name in names or CASES:
        profile, settings = CASES[name]
        lake = ROOT / "build" / "bench" / f"lfw-{profile}"
        print(f"== {name}")
        _report(_job(lake, profile, settings))
        tables = newest(lake)
        if settings["link.scope"] == "identity":
            _double_names(tables.rows("decisions", "uri", "verdict", "reasons"))
        else:
            _agreement(tables.rows("clusters", "face_id", "cluster_id"), tables.rows("embeddings", "face_id", "uri"))


def _job(lake: Path, profile: str, case: Settings) -> dict[str, Any]:
    settings = case | {
        "lake.root": lake,
        "images.root": DATA / "lfw" / "images",
        "embed.model": profile,
        "embed.detector": "aligned",
        "embed.chunk_images": 5000,
    }
    return run_job("sieve", settings)


def _report(record: dict[str, Any]) -> None:
    for name, stage in record["stages"].items():
        print(f"{name:8} {stage['seconds']:7.1f} s, {stage['rows_out']} rows out, reused {stage['reused']}")
    facts = ("edges", "cosines", "cells", "probes", "candidates", "recall", "recall_low", "recall_high")
    print("link:", {fact: record["stages"]["link"].get(fact) for fact in facts})
    decided = record["stages"]["decide"]
    print("decide:", {fact: decided[fact] for fact in ("verdicts", "given", "missing", "extra")})


def _agreement(clusters: list[Row], embeddings: list[Row]) -> None:
    names = {row["face_id"]: row["uri"].split("/")[0] for row in embeddings}
    truth = np.unique([names[row["face_id"]] for row in clusters], return_inverse=True)[1]
    labels = np.array([row["cluster_id"] for row in clusters])
    print(f"faces {len(labels)}, clusters {len(np.unique(labels))}")
    for name, measure in (("B-cubed", bcubed), ("pairwise", pairwise)):
        precision, recall, f = measure(truth, labels)
        print(f"{name}: precision {precision:.4f}, recall {recall:.4f}, F {f:.4f}")


def _double_names(decisions: list[Row]) -> None:
    for row in decisions:
        if "two_identities" in row["reasons"]:
            print(row["uri"], row["verdict"], row["reasons"])


if __name__ == "__main__":
    main(sys.argv[1:])
