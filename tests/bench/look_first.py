"""How soon planted faults are seen: the report's queue beside images sorted by cosine to their folder's centroid.

    python tests/bench/look_first.py                          # FaceNet, LFW folders with 10 % planted noise
    python tests/bench/look_first.py mobilefacenet flips --seeds 1,2,3

Tables of real embeddings (FACESIEVE_DATA), planted and decided as `noise.py` does, which keeps the lakes. A look is an
entry of the queue, or an image of the sorted list. It finds the planted faults among the images that the entry shows
(at most 12). Printed are the share of the faults found within the first looks, and the area under that curve, from 0 to
1: for as many looks as a tenth of the queue has entries, and as a tenth of the images. `one` is the best list of single
images that there can be.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence

import noise
import numpy as np
import numpy.typing as npt
from bench_environment import DATA
from planted_lake import CONFIG, PlantedLake
from planting import Planted
from pyspark.sql import SparkSession
from results import note

from facesieve.assess.report_page.contents import contents, frames
from facesieve.assess.report_page.run_tables import RunTables, run_tables
from facesieve.core import config
from facesieve.core.side_sections import Report
from facesieve.lake import session
from facesieve.lake.catalog import Lake
from facesieve.lake.ledger import Ledger
from facesieve.lake.side_job import SideJob

TENTH = 10

Flags = npt.NDArray[np.bool_]


def main(argv: list[str] | None = None) -> int:
    """Plant, decide, ask, measure."""
    options = noise.arguments(argv)
    if not (DATA / "lfw" / noise.STORED[options.model]).exists():
        print(f"skipped: no real embeddings at {DATA / 'lfw'} (set FACESIEVE_DATA)")
        return 0
    cases, seeds = options.cases or ["noise10"], options.seeds
    ratios = np.mean([_measured(options, case, seed) for case in cases for seed in seeds], axis=0).tolist()
    note("look_first", in_a_tenth_of_the_queue=ratios[0], in_a_tenth_of_the_images=ratios[1])
    return 0


def _measured(options: Namespace, case: str, seed: int) -> list[float]:
    """Print both curves; return the ratios of their areas, in a tenth of the queue and in a tenth of the images."""
    planted = noise.CASES[case](noise.source(options.model), seed)
    name = f"{options.model}_{case}_{seed}"
    noise.decided(options, planted, name)
    faults = ~planted.belongs(planted.identity)
    entries, peer = (
        list(_entries(_run(PlantedLake(noise.WORK / "lake", name, options.model)), planted)),
        _sorted(planted),
    )
    single = np.flatnonzero(faults)[:, None].tolist()
    print(
        f"== {options.model}, {case}, seed {seed}: {len(faults)} images, {faults.sum()} faults, {len(entries)} entries"
    )
    ratios = []
    for what, looks in (("queue", len(entries) // TENTH), ("images", len(faults) // TENTH)):
        print(f"a tenth of the {what}, {looks} looks")
        curves = {
            each: curve(rows, faults, looks) for each, rows in (("queue", entries), ("sorted", peer), ("one", single))
        }
        for each, shares in curves.items():
            print(f"  {each}: found {shares[-1]:.3f}, area {shares.mean():.3f}")
        ratios.append(float(curves["queue"].mean() / curves["sorted"].mean()))
    return ratios


def curve(entries: Sequence[Sequence[int]], faults: Flags, looks: int) -> npt.NDArray[np.float64]:
    """Share of the faults found after each look: float64 [looks]; an entry shows images by their place."""
    seen = np.zeros(len(faults), np.bool_)
    shares = np.zeros(looks)
    for look in range(looks):
        if look < len(entries):
            seen[list(entries[look])] = True
        shares[look] = (seen & faults).sum() / faults.sum()
    return shares


def _sorted(planted: Planted) -> list[list[int]]:
    """Images by cosine to the centroid of their folder, the farthest first."""
    vectors = planted.vectors / np.linalg.norm(planted.vectors, axis=1, keepdims=True)
    folders = np.unique(planted.identity, return_inverse=True)[1]
    centroids = np.stack([vectors[folders == at].mean(axis=0) for at in range(folders.max() + 1)])
    centroids /= np.linalg.norm(centroids, axis=1, keepdims=True)
    cosines = (vectors * centroids[folders]).sum(axis=1)
    return [[at] for at in np.argsort(cosines, kind="stable").tolist()]


def _run(lake: PlantedLake) -> RunTables:
    settings = config.load(CONFIG, (), lake.sets, ("lake", "report"))
    spark = session.start(settings.lake)
    place = Lake(spark, settings.lake)
    return run_tables(SideJob(settings, spark, place, Ledger(spark, place, "", settings, "")), "")


def _entries(run: RunTables, planted: Planted) -> Iterator[list[int]]:
    """Images that each entry of the queue shows, by their place."""
    shared = frames(run)
    chosen = contents(run, None, shared, Report(names=True, queue=20_000, groups=1))
    ids = {row["uri"]: row["image_id"] for row in run.listing.select("uri", "image_id").collect()}
    place = {ids[uri]: at for at, uri in enumerate(planted.uri)}
    shared.unpersist()
    for draft in chosen.queue.drafts:
        shown = [image for image, _ in draft.images] or ([] if draft.image is None else [draft.image])
        yield [place[image] for image in shown]


if __name__ == "__main__":
    try:
        sys.exit(main())
    finally:
        active = SparkSession.getActiveSession()
        if active is not None:
            active.stop()
