"""Whole job on LFW by spark-submit: how well the clusters agree with the names, and what became of double names.

    python tests/bench/lfw.py --profile mobilefacenet --cosine 0.50      # identity hidden, scope heap
    python tests/bench/lfw.py --profile facenet --cosine 0.70
    python tests/bench/lfw.py --profile facenet --folders                # the folders' names given, scope identity

Needs the development data (FACESIEVE_DATA). Prints B-cubed and pairwise precision, recall and F over all faces, the
seconds of each stage, and for `--folders` the verdicts of byte-identical images that bear two names.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "lib"), str(ROOT / "tests" / "demo")]

from published import Row, newest  # noqa: E402

from facesieve.kernels.agreement import bcubed, pairwise  # noqa: E402


def main() -> None:
    """Run the job, then measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profile", required=True)
    parser.add_argument("--cosine", type=float, default=0.0)
    parser.add_argument("--folders", action="store_true")
    arguments = parser.parse_args()
    lake = ROOT / "build" / "bench" / f"lfw-{arguments.profile}-{'folders' if arguments.folders else 'heap'}"
    images = Path(os.environ["FACESIEVE_DATA"]) / "lfw" / "images"
    record = _job(lake, images, arguments)
    for name, stage in record["stages"].items():
        print(f"{name:10} {stage['seconds']:8.1f} s  {stage['rows_out']} rows  reused={stage['reused']}")
    print("link:", {name: value for name, value in record["stages"]["link"].items() if name != "reasons"})
    print("verdicts:", record["stages"]["decide"]["verdicts"])
    tables = newest(lake)
    if arguments.folders:
        _double_names(tables.rows("decisions", "uri", "verdict", "reasons"))
    else:
        _agreement(tables.rows("clusters", "face_id", "cluster_id"), tables.rows("embeddings", "face_id", "uri"))


def _job(lake: Path, images: Path, arguments: argparse.Namespace) -> dict:
    settings = {
        "lake.root": lake,
        "images.root": images,
        "images.identity": "folder" if arguments.folders else "none",
        "embed.model": arguments.profile,
        "embed.detector": "aligned",
        "link.scope": "identity" if arguments.folders else "heap",
        "link.threshold_heap": arguments.cosine,
    }
    command = [str(ROOT / ".venv/bin/spark-submit"), "jobs/sieve.py", "--config", "conf/pipeline.toml", "--json"]
    for name, value in settings.items():
        command += ["--set", f"{name}={value}"]
    began = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    print(f"whole command: {time.monotonic() - began:.1f} s")
    return json.loads(done.stdout)


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
    main()
