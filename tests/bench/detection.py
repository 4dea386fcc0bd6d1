"""Finding and embedding faces, against the package `mtcnn` called image by image and FaceNet on its crops.

    python tests/bench/detection.py [--images 200] [--rounds 3]

Ours: two processes of one thread, as Spark runs them; pictures in lists of 32, `stages.faces`, crops embedded in
batches. The peer calls `MTCNN().detect_faces(image)` as its README does, cuts the largest box with the same margin and
embeds the crops in the same batches, with the same model: once in one process with TensorFlow's own threads, once in
two processes of one thread. All have the decoded images in memory, are warm and take turns; ratios are by round. Then
where the time goes. Needs FACESIEVE_MODELS, and photographs: the demonstration's, and lfw_colour of FACESIEVE_DATA.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import numpy.typing as npt
from bench_environment import DATA, PROFILES, ROOT
from PIL import Image, ImageOps

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
BATCH = 32
CORES = 2

Pixels = npt.NDArray[np.uint8]


def photographs(most: int) -> list[Pixels]:
    """Decoded photographs in a fixed random order, so that both halves are alike."""
    folders = (DATA / "lfw_colour" / "images", ROOT / ".cache" / "demo")
    files = sorted(file for folder in folders if folder.is_dir() for file in folder.rglob("*.jpg"))
    chosen = [files[index] for index in np.random.default_rng(0).permutation(len(files))[:most]]
    return [np.asarray(ImageOps.exif_transpose(Image.open(file)).convert("RGB")) for file in chosen]


def embedder() -> Any:
    """The FaceNet model, loaded as the job loads it."""
    from facesieve import models  # noqa: PLC0415 (threads are set first)
    from facesieve.core import profiles  # noqa: PLC0415 (threads are set first)

    return models.load(profiles.load("facenet", PROFILES))


def embed(model: Any, crops: list[npt.NDArray[np.float32]]) -> None:
    """Embed crops in batches."""
    for first in range(0, len(crops), BATCH):
        model.embed(np.stack(crops[first : first + BATCH]))


def ours(images: list[Pixels]) -> Callable[[], dict[str, float]]:
    """One pass of this package, in seconds by part."""
    from facesieve.core.sections import Embed  # noqa: PLC0415
    from facesieve.embed.crops import cut, faces  # noqa: PLC0415
    from facesieve.embed.picture import Picture, Unusable  # noqa: PLC0415

    model, pictures = embedder(), [Picture(image, image.shape[1], image.shape[0]) for image in images]

    def run() -> dict[str, float]:
        seconds = {"detect": 0.0, "cut": 0.0, "embed": 0.0}
        for first in range(0, len(pictures), BATCH):
            some = pictures[first : first + BATCH]
            began = time.perf_counter()
            found = faces(some, model.profile, Embed())
            detected = time.perf_counter()
            paired = zip(some, found, strict=True)
            crops = [cut(one, own[0], model.profile.input) for one, own in paired if not isinstance(own, Unusable)]
            done = time.perf_counter()
            embed(model, crops)
            seconds["embed"] += time.perf_counter() - done
            seconds["detect"] += detected - began
            seconds["cut"] += done - detected
        return seconds

    return run


def package(images: list[Pixels]) -> Callable[[], dict[str, float]]:
    """One pass of the package `mtcnn`, image by image, in seconds by part."""
    from mtcnn import MTCNN  # noqa: PLC0415

    from facesieve.faces import pixels  # noqa: PLC0415

    detector, model = MTCNN(), embedder()

    def run() -> dict[str, float]:
        began = time.perf_counter()
        found = [detector.detect_faces(image) for image in images]
        detected = time.perf_counter()
        crops = []
        for image, own in zip(images, found, strict=True):
            if own:
                x, y, width, height = max((one["box"] for one in own), key=lambda box: box[2] * box[3])
                crops.append(pixels.resample(image, pixels.square((x, y, width, height), 0.2), model.profile.input))
        done = time.perf_counter()
        embed(model, crops)
        return {"detect": detected - began, "cut": done - detected, "embed": time.perf_counter() - done}

    return run


KINDS = {"ours": (ours, CORES, True), "package": (package, 1, False), "package, 2 x 1 thread": (package, CORES, True)}


def worker(kind: str, images: list[Pixels], pipe: Connection) -> None:
    """Run one pass whenever told to, and answer the seconds by part."""
    make, _, single = KINDS[kind]
    if single:
        for pool in ("OMP", "OPENBLAS", "MKL"):
            os.environ[f"{pool}_NUM_THREADS"] = "1"
        from facesieve.models import runtime  # noqa: PLC0415

        runtime.tensorflow()
    else:
        for pool in ("OMP", "OPENBLAS", "MKL"):
            os.environ.pop(f"{pool}_NUM_THREADS", None)
        import tensorflow as tf  # noqa: PLC0415

        tf.zeros(1)  # its threads are fixed from here on, whatever the package's runtime asks for later
    run = make(images)
    run()
    pipe.send({})
    while pipe.recv():
        began = time.process_time()
        parts = run()
        pipe.send(parts | {"cpu": time.process_time() - began})


def start(kind: str, images: list[Pixels]) -> list[Connection]:
    """Start the processes of one kind, each with its share of the images; return their pipes when they are warm."""
    spawn, (_, count, _) = multiprocessing.get_context("spawn"), KINDS[kind]
    pipes = []
    for share in range(count):
        here, there = spawn.Pipe()
        spawn.Process(target=worker, args=(kind, images[share::count], there), daemon=True).start()
        pipes.append(here)
    for pipe in pipes:
        pipe.recv()
    return pipes


def asked(pipes: list[Connection]) -> dict[str, float]:
    """Let all processes of a kind make one pass: the seconds by part, and until the last is done."""
    began = time.perf_counter()
    for pipe in pipes:
        pipe.send(True)
    parts = [pipe.recv() for pipe in pipes]
    taken = {name: sum(part[name] for part in parts) / len(parts) for name in parts[0]}
    return taken | {"all": time.perf_counter() - began}


def report(rounds: list[dict[str, dict[str, float]]], count: int) -> None:
    """Print rates, parts and ratios."""
    for kind, (_, processes, _) in KINDS.items():
        median = {name: statistics.median(one[kind][name] for one in rounds) for name in rounds[0][kind]}
        parts = ", ".join(f"{name} {1e3 * median[name] * processes / count:.1f}" for name in ("detect", "cut", "embed"))
        processor = f"{1e3 * median['cpu'] * processes / count:.1f} ms of a processor per image"
        print(f"{kind}: {count / median['all']:.1f} images/s; ms per image and process: {parts}; {processor}")
    for kind, (_, processes, _) in list(KINDS.items())[1:]:
        ratios = [one[kind]["all"] / one["ours"]["all"] for one in rounds]
        shares = processes / KINDS["ours"][1]
        by_processor = statistics.median(shares * one[kind]["cpu"] / one["ours"]["cpu"] for one in rounds)
        listed = ", ".join(f"{ratio:.2f}" for ratio in ratios)
        print(f"against {kind}: {statistics.median(ratios):.2f} x ({listed}), target 1.5;", end=" ")
        print(f"by processor time, whatever else the machine does: {by_processor:.2f} x")


def main() -> None:
    """Measure, or say what is missing."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--images", type=int, default=200)
    arguments.add_argument("--rounds", type=int, default=3)
    options = arguments.parse_args()
    images = photographs(options.images)
    if not images:
        print("There are no photographs: run make setup, or set FACESIEVE_DATA to the folder that holds lfw_colour.")
        return
    pipes = {kind: start(kind, images) for kind in KINDS}
    rounds = []
    for _ in range(options.rounds):
        rounds.append({kind: asked(own) for kind, own in pipes.items()})
        print("seconds:", {kind: round(one["all"], 1) for kind, one in rounds[-1].items()}, flush=True)
    for own in pipes.values():
        for pipe in own:
            pipe.send(False)
    report(rounds, len(images))


if __name__ == "__main__":
    main()
