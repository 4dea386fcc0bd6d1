"""The whole job on images: LFW's people with impostors, flips and cut folders planted, from files to decisions.

    python tests/bench/planted_images.py                    # FaceNet, everything planted at once (`planting.crowd`)
    python tests/bench/planted_images.py mobilefacenet

Needs the development data (FACESIEVE_DATA). Copies some 5,000 photographs to build/bench, runs jobs/sieve.py by
spark-submit on them (aligned crop, dry run) and prints what `noise.py` prints of the same case.
"""

from __future__ import annotations

import shutil
import sys
from typing import Any

import numpy as np
import pandas as pd
import planting
import scoring
from bench_environment import DATA, ROOT, run_job
from planting import Planted, Source
from published import newest

WORK = ROOT / "build" / "bench" / "planted-images"
STORED = {"facenet": "facenet_embeddings.npz", "mobilefacenet": "embeddings.npz"}
_DECIDED = ("uri", "verdict", "reasons", "moved_to", "confidence")
_LINKS = ("identity_a", "identity_b", "confidence")


def main(model: str = "facenet") -> None:
    """Plant, run, measure."""
    if not (DATA / "lfw" / STORED[model]).exists():
        print(f"skipped: no real faces at {DATA / 'lfw'} (set FACESIEVE_DATA)")
        return
    stored = np.load(DATA / "lfw" / STORED[model])
    paths = stored["paths"].tolist()
    source = Source(stored["embeddings"], stored["labels"].astype(np.int64), paths, stored["identities"].tolist())
    planted = planting.crowd(source, 1)
    _copied(planted, paths)
    record = _job(model)
    tables = newest(WORK / "lake")
    decided, links = (
        pd.DataFrame(tables.rows(name, *columns), columns=list(columns))
        for name, columns in (("decisions", _DECIDED), ("identity_links", _LINKS))
    )
    print(scoring.report(f"{model}, images, crowd", scoring.measures(planted, decided, links), model, "crowd"))
    print({name: f"{stage['seconds']:.0f} s" for name, stage in record["stages"].items()})
    print(record["stages"]["decide"]["verdicts"], record["stages"]["decide"]["policies"])


def _copied(planted: Planted, paths: list[str]) -> None:
    shutil.rmtree(WORK, ignore_errors=True)
    for uri, row in zip(planted.uri, planted.row, strict=True):
        copy = WORK / "images" / uri
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(DATA / "lfw" / "images" / paths[row], copy)


def _job(model: str) -> dict[str, Any]:
    settings = {
        "lake.root": WORK / "lake",
        "images.root": WORK / "images",
        "embed.model": model,
        "embed.detector": "aligned",
    }
    return run_job("sieve", settings)


if __name__ == "__main__":
    main(*sys.argv[1:])
