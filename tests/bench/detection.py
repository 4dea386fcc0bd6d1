"""Finding and embedding faces, against the package `mtcnn` called image by image and FaceNet on its crops.

    python tests/bench/detection.py [--images 60] [--rounds 3] [--megapixels 1] [--small]

Ours: two processes of one thread, as Spark runs them; pictures are decoded, searched in groups as in a worker, and the
crops embedded in batches. The peer decodes with Pillow, calls `MTCNN().detect_faces(image)` as its README does, cuts
the largest box with the same margin and embeds the crops in the same batches, with the same model: once in one process
with TensorFlow's own threads, once in two processes of one thread. All have the files in memory, are warm and take
turns; ratios are by round. Then where the time goes, and how the largest faces of both agree.

The photographs are the demonstration's and those of lfw_colour. They are enlarged to 1, 2, 4, 8 and 12 megapixels: by
turns one alone, and nine or sixteen side by side. `--megapixels`: of one size only. `--small`: as they are.
Needs FACESIEVE_MODELS, FACESIEVE_DATA.
"""

from __future__ import annotations

import argparse
import io
import math
import multiprocessing
import os
import statistics
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from bench_environment import DATA, PROFILES, ROOT
from PIL import Image, ImageOps
from results import note

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
BATCH, GROUP = 32, 16
CORES = 2
MEGAPIXELS, SIDE_BY_SIDE = (1, 2, 4, 8, 12), (1, 3, 1, 4)
SAME = 0.5
"""Intersection over union from which two boxes are of one face."""

Pixels = npt.NDArray[np.uint8]
Boxes = list[tuple[float, float, float, float]]


class Photograph(NamedTuple):
    """A JPEG file, and how many photographs it shows along either side."""

    content: bytes
    grid: int = 1


class Pass(NamedTuple):
    """Seconds by part of one pass, and the boxes of each photograph, the largest first."""

    seconds: dict[str, float]
    boxes: list[Boxes]


def photographs(most: int, small: bool, sizes: tuple[int, ...] = MEGAPIXELS) -> list[Photograph]:
    """Photographs in a fixed random order, so that both halves are alike."""
    folders = (DATA / "lfw_colour" / "images", ROOT / ".cache" / "demo")
    files = sorted(file for folder in folders if folder.is_dir() for file in folder.rglob("*.jpg"))
    chosen = [files[index] for index in np.random.default_rng(0).permutation(len(files))]
    if small:
        return [Photograph(file.read_bytes()) for file in chosen[:most]]
    opened = [ImageOps.exif_transpose(Image.open(file)).convert("RGB") for file in chosen]
    return [enlarged(opened, number, sizes[number % len(sizes)]) for number in range(most if files else 0)]


def enlarged(opened: list[Image.Image], number: int, megapixels: int) -> Photograph:
    """Make one large photograph of small ones; successive numbers go through all sizes and grids."""
    grid, side = SIDE_BY_SIDE[number % len(SIDE_BY_SIDE)], math.sqrt(megapixels * 1e6 / 12)
    width, height = (4 * side, 3 * side) if number % 3 else (3 * side, 4 * side)
    cell = int(width / grid), int(height / grid)
    canvas = Image.new("RGB", (cell[0] * grid, cell[1] * grid))
    for place in range(grid * grid):
        one = opened[(number * 17 + place) % len(opened)]
        fitted = ImageOps.pad(one, cell, Image.Resampling.BICUBIC, (90, 90, 90))
        canvas.paste(fitted, (place % grid * cell[0], place // grid * cell[1]))
    stream = io.BytesIO()
    canvas.save(stream, "JPEG", quality=90)
    return Photograph(stream.getvalue(), grid)


def embedder() -> Any:
    """The FaceNet model, loaded as the job loads it."""
    from facesieve import models  # noqa: PLC0415 (threads are set first)
    from facesieve.core import profiles  # noqa: PLC0415 (threads are set first)

    return models.load(profiles.load("facenet", PROFILES))


def embed(model: Any, crops: list[npt.NDArray[np.float32]]) -> None:
    """Embed crops in batches."""
    for first in range(0, len(crops), BATCH):
        model.embed(np.stack(crops[first : first + BATCH]))


def ours(images: list[Photograph]) -> Callable[[], Pass]:
    """One pass of this package, in seconds by part."""
    from facesieve.core.sections import Embed  # noqa: PLC0415
    from facesieve.embed.crops import cut, faces, magnified  # noqa: PLC0415
    from facesieve.embed.decode import picture  # noqa: PLC0415
    from facesieve.embed.picture import Unusable  # noqa: PLC0415

    model, settings = embedder(), Embed(faces="all")
    size = model.profile.input

    def run() -> Pass:
        clock, crops, boxes = Clock(), [], []
        for first in range(0, len(images), GROUP):
            contents = [image.content for image in images[first : first + GROUP]]
            some = [picture(content, settings) for content in contents]
            clock.lap("decode")
            every = [[] if isinstance(own, Unusable) else own for own in faces(some, model.profile, settings)]
            clock.lap("detect")
            for content, one, own in zip(contents, some, every, strict=True):
                enough = not any(magnified(one, face, size) for face in own[:1])
                full = one if enough else picture(content, settings, full=True)
                crops += [cut(full, face, size) for face in own[:1]]
            boxes += [[face.box for face in own] for own in every]
            clock.lap("cut")
        embed(model, crops)
        clock.lap("embed")
        return Pass(clock.seconds, boxes)

    return run


def package(images: list[Photograph]) -> Callable[[], Pass]:
    """One pass of the package `mtcnn`, image by image, in seconds by part."""
    from mtcnn import MTCNN  # noqa: PLC0415

    from facesieve.faces import pixels  # noqa: PLC0415

    detector, model = MTCNN(), embedder()

    def run() -> Pass:
        clock, crops, boxes = Clock(), [], []
        for image in images:
            decoded = np.asarray(Image.open(io.BytesIO(image.content)).convert("RGB"))
            clock.lap("decode")
            sure = [one["box"] for one in detector.detect_faces(decoded) if one["confidence"] >= 0.8]
            boxes.append(sorted((tuple(box) for box in sure), key=lambda box: -box[2] * box[3]))
            clock.lap("detect")
            squares = [pixels.square(box, 0.2) for box in boxes[-1][:1]]
            crops += [pixels.resample(decoded, square, model.profile.input) for square in squares]
            clock.lap("cut")
        embed(model, crops)
        clock.lap("embed")
        return Pass(clock.seconds, boxes)

    return run


class Clock:
    """Seconds by part."""

    def __init__(self) -> None:
        self.seconds = dict.fromkeys(("decode", "detect", "cut", "embed"), 0.0)
        self._last = time.perf_counter()

    def lap(self, part: str) -> None:
        """Count the time since the last lap to a part."""
        now = time.perf_counter()
        self.seconds[part] += now - self._last
        self._last = now


KINDS = {"ours": (ours, CORES, True), "package": (package, 1, False), "package, 2 x 1 thread": (package, CORES, True)}


def worker(kind: str, images: list[Photograph], pipe: Connection) -> None:
    """Run one pass whenever told to, and answer the seconds by part; the boxes are the first answer."""
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
    pipe.send(run().boxes)
    while pipe.recv():
        began = time.process_time()
        seconds = run().seconds
        pipe.send(seconds | {"cpu": time.process_time() - began})


def start(kind: str, images: list[Photograph]) -> tuple[list[Connection], list[Boxes]]:
    """Start the processes of one kind, each with its share of the images; return their pipes, warm, and the boxes."""
    spawn, (_, count, _) = multiprocessing.get_context("spawn"), KINDS[kind]
    pipes = []
    for share in range(count):
        here, there = spawn.Pipe()
        spawn.Process(target=worker, args=(kind, images[share::count], there), daemon=True).start()
        pipes.append(here)
    boxes: list[Boxes] = [[] for _ in images]
    for share, pipe in enumerate(pipes):
        boxes[share::count] = pipe.recv()
    return pipes, boxes


def asked(pipes: list[Connection]) -> dict[str, float]:
    """Let all processes of a kind make one pass: the seconds by part, and until the last is done."""
    began = time.perf_counter()
    for pipe in pipes:
        pipe.send(True)
    parts = [pipe.recv() for pipe in pipes]
    taken = {name: sum(part[name] for part in parts) / len(parts) for name in parts[0]}
    return taken | {"all": time.perf_counter() - began}


def report(rounds: list[dict[str, dict[str, float]]], count: int, benchmark: str) -> None:
    """Print rates, parts and ratios, and note the ratios."""
    for kind, (_, processes, _) in KINDS.items():
        median = {name: statistics.median(one[kind][name] for one in rounds) for name in rounds[0][kind]}
        parts = ", ".join(f"{name} {1e3 * median[name] * processes / count:.1f}" for name in Clock().seconds)
        processor = f"{1e3 * median['cpu'] * processes / count:.1f} ms of a processor per image"
        print(f"{kind}: {count / median['all']:.2f} images/s; ms per image and process: {parts}; {processor}")
    for name, kind in (("package", "package"), ("package_twice", "package, 2 x 1 thread")):
        shares = KINDS[kind][1] / KINDS["ours"][1]
        faster = statistics.median(one[kind]["all"] / one["ours"]["all"] for one in rounds)
        cheaper = statistics.median(shares * one[kind]["cpu"] / one["ours"]["cpu"] for one in rounds)
        note(benchmark, **{f"{name}_seconds": faster, f"{name}_processor": cheaper})


def agreement(images: list[Photograph], boxes: dict[str, list[Boxes]]) -> dict[str, float]:
    """Say of how many photographs shown either finds a face in the cell, and how the boxes of one face differ."""
    cells = sum(image.grid**2 for image in images)
    recall = {kind: sum(map(cells_with_a_face, images, boxes[kind])) / cells for kind in ("ours", "package")}
    likeness = [
        max((overlap(box, other) for other in mine), default=0.0)
        for mine, others in zip(boxes["ours"], boxes["package"], strict=True)
        for box in others
        for _ in range(box[2] >= 62)
    ]
    alike = [share for share in likeness if share >= SAME]
    both = {"overlap": statistics.median(alike), "package_faces_found": len(alike) / len(likeness)}
    return {f"recall_{kind}": share for kind, share in recall.items()} | both


def cells_with_a_face(image: Photograph, boxes: Boxes) -> int:
    """Count the cells of a grid in which the middle of a box lies."""
    width, height = Image.open(io.BytesIO(image.content)).size
    middles = [
        (int((x + w / 2) * image.grid // width), int((y + h / 2) * image.grid // height)) for x, y, w, h in boxes
    ]
    return len({(x, y) for x, y in middles if 0 <= x < image.grid and 0 <= y < image.grid})


def overlap(box: tuple[float, ...], other: tuple[float, ...]) -> float:
    """Intersection over union of two boxes (x, y, width, height)."""
    (x, y, width, height), (left, top, wide, high) = box, other
    shared = max(0.0, min(x + width, left + wide) - max(x, left)) * max(0.0, min(y + height, top + high) - max(y, top))
    return shared / (width * height + wide * high - shared)


def main() -> None:
    """Measure, or say what is missing."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--images", type=int, default=60)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--small", action="store_true")
    arguments.add_argument("--megapixels", type=int, choices=MEGAPIXELS)
    options = arguments.parse_args()
    sizes = (options.megapixels,) if options.megapixels else MEGAPIXELS
    images = photographs(options.images, options.small, sizes)
    if not images:
        print("There are no photographs: run make setup, or set FACESIEVE_DATA to the folder that holds lfw_colour.")
        return
    benchmark = "detection_small" if options.small else f"detection_{options.megapixels or 'all'}"
    ready = {kind: start(kind, images) for kind in KINDS}
    note(benchmark, **agreement(images, {kind: boxes for kind, (_, boxes) in ready.items()}))
    rounds = []
    for _ in range(options.rounds):
        rounds.append({kind: asked(pipes) for kind, (pipes, _) in ready.items()})
        print("seconds:", {kind: round(one["all"], 1) for kind, one in rounds[-1].items()}, flush=True)
    for pipes, _ in ready.values():
        for pipe in pipes:
            pipe.send(False)
    report(rounds, len(images), benchmark)


if __name__ == "__main__":
    main()
