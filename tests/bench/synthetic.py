"""Face embeddings at scale, drawn from a fit to real ones, and how alike the two are.

    python tests/bench/synthetic.py                                              # the comparison alone
    python tests/bench/synthetic.py --faces 1000000 --out FOLDER                 # 8 Parquet files and the comparison
    python tests/bench/synthetic.py --faces 1000000 --extra 10000 --out FOLDER   # 10,000 more of the same faces

Columns as the link stage reads them: face_id (splitmix64 of the face's number), identity, vector (unit length).
Needs FACESIEVE_DATA.

The fit. A person is drawn beside a real one: a Gaussian spanned by the `LOOKALIKES` real people nearest to that one, so
that there are the crowded regions (sex, age, origin) which make the upper tail of impostor scores; one Gaussian for all
people gives a sixth of the true share above 0.5. An affine map then gives people the between-person mean and
covariance measured. A face is its person's centre plus a Gaussian of the within-person covariance, scaled by a person's
and a face's scale, both drawn from those of the people with many images, `SPREAD` apart.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import resemblance
from bench_environment import DATA

STORED = {"facenet": "facenet_embeddings.npz", "mobilefacenet": "embeddings.npz"}

Floats = npt.NDArray[np.float64]
Vectors = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int64]

LOOKALIKES = 12
SPREAD, WIDTH = 1.3, 1.08
MANY = 10
"""Images from which a person's and a face's scale can be told."""

SIZE_MEDIAN, SIZE_SIGMA = 4.5, 1.05
"""Images per person: log-normal, rounded up; mean 8.3, one person in a hundred over 50, some hundreds at most."""

BLOCK = 2_000
FILES, ROW_GROUP = 8, 16_384
_CENTRES, _FACES, _EXTRA, _SIZES, _ORDER = range(5)


@dataclass(frozen=True)
class Fit:
    """What people look like: seeds [P, D] with neighbours [P, k], within root [D, D], scales of people and faces."""

    seeds: Floats
    neighbours: Numbers
    root: Floats
    person_scales: Floats
    face_scales: Floats


@dataclass(frozen=True)
class Collection:
    """Faces: ids int64 [N], person numbers int64 [N], unit vectors float32 [N, D]."""

    ids: Numbers
    people: Numbers
    vectors: Vectors


def real(model: str = "facenet") -> Collection:
    """Read the real embeddings of `facenet` or `mobilefacenet`."""
    stored = np.load(DATA / "lfw" / STORED[model])
    labels = stored["labels"].astype(np.int64)
    return Collection(face_ids(np.arange(len(labels))), labels, stored["embeddings"])


def fit(collection: Collection) -> Fit:
    """Measure people, faces of one person, and their scales."""
    vectors, sizes = collection.vectors.astype(np.float64), np.bincount(collection.people)
    means = np.zeros((len(sizes), vectors.shape[1]))
    np.add.at(means, collection.people, vectors)
    means /= sizes[:, None]
    off, of_face = vectors - means[collection.people], sizes[collection.people]
    weights = np.where(of_face > 1, 1 / np.maximum(of_face - 1, 1), 0)
    within = (off * weights[:, None]).T @ off / np.sum(sizes > 1)
    between = np.cov(means.T) - within * np.mean(1 / sizes)
    mean = means.mean(axis=0)
    shrunk = means.copy()
    for size in np.unique(sizes):
        regression = between @ np.linalg.pinv(between + within / size, rcond=1e-6)
        shrunk[sizes == size] = mean + (means[sizes == size] - mean) @ regression.T
    neighbours = _lookalikes(shrunk)
    seeds = _recoloured(shrunk, neighbours, mean, between)
    variance = np.bincount(collection.people, np.sum(off**2, axis=1)) / np.maximum(sizes - 1, 1)
    many = of_face >= MANY
    faces = np.sum(off[many] ** 2, axis=1) * (of_face / (of_face - 1 + (of_face == 1)))[many]
    scales = _spread(variance[sizes >= MANY]), _spread(faces / variance[collection.people[many]])
    return Fit(seeds, neighbours, _power(within, 0.5), *scales)


def _lookalikes(people: Floats) -> Numbers:
    directions = people / np.linalg.norm(people, axis=1)[:, None]
    return np.argpartition(-(directions @ directions.T), LOOKALIKES, axis=1)[:, :LOOKALIKES].astype(np.int64)


def _recoloured(people: Floats, neighbours: Numbers, mean: Floats, between: Floats) -> Floats:
    """Map people affinely so that what is drawn beside them has this mean and covariance."""
    local = people[neighbours]
    middles = local.mean(axis=1)
    apart = (local - middles[:, None]).reshape(-1, people.shape[1])
    drawn = np.cov(middles.T) + apart.T @ apart / (len(people) * (LOOKALIKES - 1))
    return np.asarray(mean + (people - middles.mean(axis=0)) @ _power(drawn, -0.5) @ _power(between, 0.5))


def _power(covariance: Floats, exponent: float) -> Floats:
    # FaceNet's embeddings span fewer dimensions than they have: the empty ones stay empty.
    values, axes = np.linalg.eigh(covariance)
    powers = np.where(values > 1e-6 * values[-1], np.maximum(values, 1e-12) ** exponent, 0)
    return np.asarray((axes * powers) @ axes.T)


def _spread(scales: Floats) -> Floats:
    wide = scales**SPREAD
    return np.asarray(wide * WIDTH**0.5 / wide.mean())


def face_ids(numbers: Numbers) -> Numbers:
    """Mix numbers to ids that look like hashes: splitmix64 (Steele et al. 2014), as signed."""
    mixed = numbers.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (mixed ^ (mixed >> np.uint64(31))).view(np.int64)


def draw(model: Fit, faces: int, seed: int = 0) -> Collection:
    """Draw a collection of `faces` faces, rows in random order."""
    owners = _owners(faces, seed)
    return _drawn(model, owners, np.arange(faces), (seed, _FACES))


def draw_extra(model: Fit, faces: int, extra: int, seed: int = 0) -> Collection:
    """Draw `extra` more faces for the collection of `faces` faces: half of people in it, half of new people."""
    owners = _owners(faces, seed)
    known = np.random.default_rng((seed, _EXTRA)).choice(owners, extra // 2)
    fresh = owners[-1] + 1 + _owners(extra - extra // 2, seed + 1)
    return _drawn(model, np.sort(np.concatenate([known, fresh])), np.arange(faces, faces + extra), (seed, _EXTRA))


def _owners(faces: int, seed: int) -> Numbers:
    """Person number of each face, ascending: people of log-normal size until there are enough faces."""
    random = np.random.default_rng((seed, _SIZES))
    sizes = np.ceil(SIZE_MEDIAN * np.exp(SIZE_SIGMA * random.standard_normal(faces))).astype(np.int64)
    people = int(np.searchsorted(np.cumsum(sizes), faces)) + 1
    return np.repeat(np.arange(people), sizes[:people])[:faces]


def _drawn(model: Fit, owners: Numbers, numbers: Numbers, stream: tuple[int, int]) -> Collection:
    places = np.random.default_rng((*stream, _ORDER)).permutation(len(owners))
    ids, people = np.empty_like(owners), np.empty_like(owners)
    ids[places], people[places] = face_ids(numbers), owners
    vectors = np.empty((len(owners), model.seeds.shape[1]), np.float32)
    starts = np.searchsorted(owners, np.arange(0, owners[-1] + BLOCK, BLOCK))
    for block, (start, end) in enumerate(zip(starts, [*starts[1:], len(owners)], strict=True)):
        if start < end:
            centres, scales = _people(model, block, stream[0])
            local = owners[start:end] - block * BLOCK
            random = np.random.default_rng((*stream, block))
            vectors[places[start:end]] = _faces(model, centres[local], scales[local], random)
    return Collection(ids, people, vectors)


def _people(model: Fit, block: int, seed: int) -> tuple[Vectors, Vectors]:
    """Centres [BLOCK, D] and scales [BLOCK] of the people of one block."""
    random = np.random.default_rng((seed, _CENTRES, block))
    beside = random.integers(len(model.seeds), size=BLOCK)
    normal = random.standard_normal((BLOCK, LOOKALIKES))
    weights = 1 / LOOKALIKES + (normal - normal.mean(axis=1)[:, None]) / np.sqrt(LOOKALIKES - 1)
    centres = np.einsum("pk,pkd->pd", weights, model.seeds[model.neighbours[beside]])
    scales = random.choice(model.person_scales, BLOCK)
    room = np.maximum(1 - scales * np.sum(model.root**2), 0.2)
    centres *= np.sqrt(room / np.sum(centres**2, axis=1))[:, None]
    return centres.astype(np.float32), scales.astype(np.float32)


def _faces(model: Fit, centres: Vectors, scales: Vectors, random: np.random.Generator) -> Vectors:
    scale = np.sqrt(scales * random.choice(model.face_scales, len(centres)).astype(np.float32))
    apart = random.standard_normal(centres.shape, dtype=np.float32) @ model.root.astype(np.float32)
    vectors = centres + scale[:, None] * apart
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1)[:, None])


def write(collection: Collection, folder: Path, files: int = FILES) -> None:
    """Write face_id, identity and vector as Parquet files."""
    folder.mkdir(parents=True, exist_ok=True)
    for part, rows in enumerate(np.array_split(np.arange(len(collection.ids)), files)):
        chosen = slice(rows[0], rows[-1] + 1)
        names = pa.array([f"person-{person:07d}" for person in collection.people[chosen].tolist()])
        offsets = np.arange(0, collection.vectors[chosen].size + 1, collection.vectors.shape[1], dtype=np.int32)
        lists = pa.ListArray.from_arrays(offsets, collection.vectors[chosen].reshape(-1))
        table = pa.table({"face_id": collection.ids[chosen], "identity": names, "vector": lists})
        file = folder / f"part-{part:05d}.parquet"
        pq.write_table(table, file, row_group_size=ROW_GROUP, compression="zstd", use_dictionary=["identity"])


def read(folder: Path) -> tuple[Numbers, Vectors]:
    """Read ids int64 [N] and vectors float32 [N, D] of a folder written by `write`."""
    table = pq.read_table(folder, columns=["face_id", "vector"])
    values = np.concatenate([chunk.flatten().to_numpy(zero_copy_only=False) for chunk in table["vector"].chunks])
    return table["face_id"].to_numpy(), values.reshape(table.num_rows, -1)


def main() -> int:
    """Draw, write, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faces", type=int, default=100_000)
    parser.add_argument("--extra", type=int, default=0, help="write only so many faces more than --faces")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--model", choices=sorted(STORED), default="facenet")
    options = parser.parse_args()
    if not (DATA / "lfw" / STORED[options.model]).exists():
        print(f"skipped: no real embeddings at {DATA / 'lfw'} (set FACESIEVE_DATA)")
        return 0
    observed = real(options.model)
    model = fit(observed)
    extra = (draw_extra, (model, options.faces, options.extra, options.seed))
    maker, arguments = extra if options.extra else (draw, (model, options.faces, options.seed))
    collection = maker(*arguments)
    if options.out:
        write(collection, options.out)
    print(resemblance.table(observed, collection))
    return 0


if __name__ == "__main__":
    sys.exit(main())
