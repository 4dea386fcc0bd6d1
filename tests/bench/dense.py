"""The cluster stage on a dense graph: 10,240 faces of 24 people, some 2.3 million edges.

    python tests/bench/dense.py                     # the job against the kernels alone
    python tests/bench/dense.py --base FOLDER       # and against another checkout of the project, set up
    python tests/bench/dense.py --messages          # by GraphFrames' messages alone, to its end

The faces are LFW's 24 largest people, whose FaceNet embeddings are jittered by dense.py of the development data, which
is needed. Both builds get a lake of their own from the same vectors, link them and cluster them: the stage's seconds.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import faked_lake
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from bench_environment import DATA, ROOT, one_thread
from other_build import environment_of
from results import note

from facesieve.cluster.kernels.coins import coins, together
from facesieve.cluster.kernels.neighbourhoods import hoods
from facesieve.cluster.kernels.structure import least_vote, scores
from facesieve.cluster.kernels.whispers import Start, finish_all, unstable_vertices
from facesieve.core import profiles, sections
from facesieve.link.kernels.thresholds import link_cosine

MESSAGES = ("--set", "cluster.finish_locally_below=0")


def main() -> None:
    """Make the set, cluster it by every build, and by the kernels."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", type=Path, help="another checkout")
    parser.add_argument("--messages", action="store_true")
    options = parser.parse_args()
    if not (DATA / "dense.py").exists():
        print(f"skipped: {DATA}/dense.py does not exist")
        return
    one_thread()
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        faces = made(place)
        more = MESSAGES if options.messages else ()
        ours = stage(ROOT, place / "ours", faces, more)
        suffix = "_by_messages" if options.messages else ""
        if options.base:
            theirs = stage(options.base.resolve(), place / "base", faces, more)
            note("dense", **{f"seconds{suffix}": ours, f"to_base{suffix}": ours / theirs})
        if not options.messages:
            alone = by_kernels(place / "ours")
            note("dense", seconds=ours, kernels=alone, to_kernels=ours / alone)


def made(place: Path) -> Path:
    """Write the faces as a Parquet folder: face_id, identity, vector."""
    subprocess.run([sys.executable, DATA / "dense.py", place / "dense.npz"], check=True)
    stored = np.load(place / "dense.npz")
    ids = np.random.default_rng(0).permutation(np.arange(len(stored["identity"])) * 1_000_003 - 2**32)
    vectors = pa.FixedSizeListArray.from_arrays(stored["vector"].ravel(), stored["vector"].shape[1])
    columns = {"face_id": ids, "identity": stored["identity"], "vector": vectors.cast(pa.list_(pa.float32()))}
    folder = place / "faces"
    folder.mkdir()
    pq.write_table(pa.table(columns), folder / "faces.parquet")
    return folder


def stage(repository: Path, lake: Path, faces: Path, more: tuple[str, ...]) -> float:
    """Link and cluster by a build; return the seconds of the stage cluster."""
    environment = environment_of(repository)
    python = repository / ".venv" / "bin" / "python"
    filled = [python, repository / "tests" / "bench" / "faked_lake.py", lake, faces]
    subprocess.run(filled, cwd=repository, env=environment, check=True, stderr=subprocess.DEVNULL)
    answer: dict[str, Any] = {}
    sets = (
        f"lake.root={lake}",
        "images.root=/nowhere",
        "images.identity=none",
        f"link.scope={global_scope(repository)}",
    )
    for job in ("link", "cluster"):
        command: list[str | Path] = [python.with_name("spark-submit"), f"jobs/{job}.py"]
        command += ["--config", "conf/pipeline.toml", "--json"]
        command += [part for each in sets for part in ("--set", each)]
        command += more if job == "cluster" else ()
        done = subprocess.run(command, cwd=repository, env=environment, check=True, stdout=subprocess.PIPE)
        answer = json.loads(done.stdout.splitlines()[-1])["stages"][job]
        print(f"{repository}: {job} {answer['seconds']} s", flush=True)
    return float(answer["seconds"])


def global_scope(repository: Path) -> str:
    """Return the word by which a build calls pairs across the whole collection."""
    return "heap" if "heap = all pairs" in (repository / "conf" / "pipeline.toml").read_text() else "global"


def by_kernels(lake: Path) -> float:
    """Score and vote by the kernels on the edges of a lake, one after the other in one thread; return the seconds."""
    src, dst, cosines = faked_lake.edges(lake)
    settings, line = sections.Cluster(), profiles.load("facenet", str(ROOT / "conf" / "models")).impostor
    assert line is not None
    ids = np.unique(np.append(src, dst))
    least = link_cosine(line.intercept, line.slope, settings.false_matches, len(ids), sections.Link().min_n)
    began = time.perf_counter()
    closed = hoods(np.append(src, dst), np.append(dst, src), np.append(cosines, cosines), least, settings.max_degree)
    score = scores(src, dst, cosines, least, closed)
    votes = score >= least_vote(settings.score_cut)
    graph = src[votes], dst[votes], score[votes]
    minted = coins(settings.update_fraction, settings.seed, settings.coins)
    ends = finish_all(ids, graph, [Start(ids)] * len(minted), minted, settings.max_supersteps)
    labels = np.stack([end.labels for end in ends], axis=1)
    assert not any(unstable_vertices(ids, labels, *graph))
    clusters = together(ids, labels, *graph[:2])
    seconds = time.perf_counter() - began
    print(f"kernels: {seconds:.1f} s, {len(src):,} edges, {len(np.unique(clusters))} clusters")
    return seconds


if __name__ == "__main__":
    main()
