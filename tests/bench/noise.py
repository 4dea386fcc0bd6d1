"""Faults planted among LFW's people (`planting`), and what the job decides: measured beside the target and a peer.

    python tests/bench/noise.py                                      # FaceNet, all cases, seed 1
    python tests/bench/noise.py mobilefacenet noise30 flips          # one model, some cases
    python tests/bench/noise.py --seeds 1,2,3 --set decide.keep=modes
    python tests/bench/noise.py crowd --dump build/bench/crowd.parquet --peer

Tables of real embeddings (FACESIEVE_DATA) are written to a lake under build/bench/noise; then the verbs link, cluster
and decide run on them, everything by default. Nothing here reads images. Lakes stay, so that a later call only decides
anew (always, whatever the lake holds); `--fresh` begins again. With several seeds the mean is printed. Last comes the
reliability of `decisions.confidence` over all that ran (`reliability`). `--peer` also runs the known script's rule.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import planting
import reliability
import scoring
from bench_environment import DATA, ROOT
from planted_lake import PlantedLake
from planting import Planted, Source
from pyspark.sql import SparkSession
from seed_folders import kept

from facesieve.cli import main as cli
from facesieve.cluster.step import cluster
from facesieve.decide.step import decide
from facesieve.link.step import link

WORK = ROOT / "build" / "bench" / "noise"
STORED = {"facenet": "facenet_embeddings.npz", "mobilefacenet": "embeddings.npz"}
CASES: dict[str, Callable[[Source, int], Planted]] = {
    "clean": lambda source, seed: planting.clean(source),
    "noise10": lambda source, seed: planting.noise(source, 0.1, seed),
    "noise30": lambda source, seed: planting.noise(source, 0.3, seed),
    "noise50": lambda source, seed: planting.noise(source, 0.5, seed),
    "flips": lambda source, seed: planting.flips(source, 200, seed),
    "cut": lambda source, seed: planting.cut(source, 20, seed),
    "crowd": planting.crowd,
}


def main(argv: list[str] | None = None) -> int:
    """Plant, decide, measure."""
    options = arguments(argv)
    if not (DATA / "lfw" / STORED[options.model]).exists():
        print(f"skipped: no real embeddings at {DATA / 'lfw'} (set FACESIEVE_DATA)")
        return 0
    if options.fresh:
        shutil.rmtree(WORK, ignore_errors=True)
    everything = []
    for case in options.cases or CASES:
        measured = []
        for seed in options.seeds:
            planted = CASES[case](source(options.model), seed)
            decisions, record, links = decided(options, planted, f"{options.model}_{case}_{seed}")
            measured.append(scoring.measures(planted, decisions, links) | _figures(record))
            everything.append(scoring.joined(planted, decisions).assign(model=options.model, case=case, seed=seed))
            if options.peer:
                measured[-1] |= scoring.peer(planted, kept(planted.vectors, planted.identity))
        print(scoring.report(f"{options.model}, {case}", scoring.mean(measured), options.model, case), flush=True)
    rows = pd.concat(everything, ignore_index=True)
    print(reliability.report(rows))
    if options.dump:
        rows.to_parquet(options.dump, index=False)
    return 0


def arguments(argv: list[str] | None) -> argparse.Namespace:
    """Parse the arguments of this script."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", metavar="MODEL or CASE", help=", ".join([*STORED, *CASES]))
    parser.add_argument("--seeds", type=lambda text: [int(seed) for seed in text.split(",")], default=[1])
    parser.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE")
    parser.add_argument("--peer", action="store_true", help="the known script's rule, too")
    parser.add_argument("--fresh", action="store_true", help="delete the lakes of earlier calls first")
    parser.add_argument("--dump", type=Path, help="Parquet file for every decision with the truth")
    options = parser.parse_args(argv)
    unknown = set(options.what) - {*STORED, *CASES}
    models = [name for name in options.what if name in STORED] or ["facenet"]
    if unknown or len(models) > 1:
        parser.error(f"not known: {', '.join(sorted(unknown))}" if unknown else "one model at a time")
    options.model, options.cases = models[0], [name for name in options.what if name in CASES]
    return options


def source(model: str) -> Source:
    """Load the embeddings of a model."""
    stored = np.load(DATA / "lfw" / STORED[model])
    labels = stored["labels"].astype(np.int64)
    return Source(stored["embeddings"], labels, stored["paths"].tolist(), stored["identities"].tolist())


def decided(
    options: argparse.Namespace, planted: Planted, name: str
) -> tuple[pd.DataFrame, dict[str, Any], pd.DataFrame]:
    """Run the verbs on a lake of its own; return the decisions, the ledger's record and the identity links."""
    lake = PlantedLake(WORK / "lake", name, options.model)
    lake.fill(planted)
    record = _run(lake, [link, cluster], options.set)
    # What is decided depends on code that changes between two calls: it is never taken from the lake.
    record["stages"] |= _run(lake, [decide], options.set, "--full")["stages"]
    return lake.decisions(), record, lake.identity_links()


def _run(lake: PlantedLake, steps: list[cli.Step], sets: list[str], *more: str) -> dict[str, Any]:
    with contextlib.redirect_stdout(io.StringIO()) as output:
        code = cli.main(steps, "", [*lake.arguments, *(f"--set={each}" for each in sets), *more])
    if code:
        raise SystemExit(f"{lake.name} ended with exit code {code}")
    record: dict[str, Any] = json.loads(output.getvalue().splitlines()[-1])
    return record


def _figures(record: dict[str, Any]) -> dict[str, float]:
    stages = record["stages"]
    seconds = {f"seconds {name}": stage["seconds"] for name, stage in stages.items()}
    policies = {f"policy {name} keeps": images for name, images in stages["decide"].get("policies", {}).items()}
    return {f"verdict {name}": images for name, images in stages["decide"]["verdicts"].items()} | policies | seconds


if __name__ == "__main__":
    try:
        sys.exit(main())
    finally:
        session = SparkSession.getActiveSession()
        if session is not None:
            session.stop()
