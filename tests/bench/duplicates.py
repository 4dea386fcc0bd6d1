"""Near duplicates planted in LFW: which hash tells them from other photographs, and what it proposes as candidates.

Which candidates are copies, `copies.py` measures.

    python tests/bench/duplicates.py                              # everything, some six minutes
    python tests/bench/duplicates.py --cosine 0.85 --bits 24      # other limits than those of config.py
    python tests/bench/duplicates.py --sheet build/closest        # also a picture of the closest pairs nobody planted

Needs the development data (FACESIEVE_DATA) and FaceNet's weights. 1,000 images are drawn (seed 0): of 500 there is an
exact copy, of 500 a near duplicate in five forms: encoded as JPEG of quality 60; resized 0.7 x (bicubic); cropped by
3 % of the width at the left and at the right and 3 % of the height at the top and at the bottom; cropped so at the left
and the top only; and `all`, that is cropped at all four sides, resized and encoded at quality 60. Crop and resize alone
are encoded at quality 95. Copies bear their source's name, are hashed and embedded by both models anew (the profile's
crop, scaled to the image's size) and join all other images of LFW with their stored embeddings.
Prints the distributions, a comparison of hashes, and what `near_duplicates` finds in the whole; exits 1 below a target.
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import imagehash
import numpy as np
from bench_environment import DATA, LFW_EMBEDDINGS, PROFILES, session
from PIL import Image, ImageDraw
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from facesieve import models
from facesieve.core import profiles
from facesieve.core.sections import Decide
from facesieve.core.tables import EDGES, Edges
from facesieve.decide.kernels.duplicates import least_difference
from facesieve.decide.near_duplicates import CANDIDATES, Candidates, near_duplicates
from facesieve.decide.photographs import CandidatePairs, ComparedPairs
from facesieve.embed.perceptual_hash import VIEW_BYTES, perceptual_hash
from facesieve.faces import pixels
from facesieve.faces.vectors import hits, pair_cosine

PLANTED, SIDE, CUT, SCALE, QUALITY = 500, 250, 0.03, 0.7, 60
SHARES, TARGET, BLOCK = (0.0, 0.01, 0.03, 0.5, 0.97, 0.99, 1.0), 0.97, 2_000
Picture = Image.Image
Numbers = np.ndarray


def encoded(image: Picture, quality: int = 95) -> Picture:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=quality)
    return Image.open(stream).convert("RGB")


def cropped(image: Picture, *, all_sides: bool = True) -> Picture:
    width, height = image.size
    across, down = round(CUT * width), round(CUT * height)
    return image.crop((across, down, width - across * all_sides, height - down * all_sides))


def resized(image: Picture) -> Picture:
    return image.resize((round(SCALE * image.width), round(SCALE * image.height)), Image.Resampling.BICUBIC)


FORMS: dict[str, Callable[[Picture], Picture]] = {
    "encoded": lambda image: encoded(image, QUALITY),
    "resized": lambda image: encoded(resized(image)),
    "cropped": lambda image: encoded(cropped(image)),
    "corner": lambda image: encoded(cropped(image, all_sides=False)),
    "all": lambda image: encoded(resized(cropped(image)), QUALITY),
}


def whole(make: Callable[..., imagehash.ImageHash], side: int) -> Callable[[Picture], bytes]:
    return lambda image: np.packbits(make(image, side).hash).tobytes()


HASHES: dict[str, Callable[[Picture], bytes]] = {
    f"{name} {side}": whole(make, side)
    for name, make in (("phash", imagehash.phash), ("dhash", imagehash.dhash), ("whash", imagehash.whash))
    for side in (8, 16)
} | {"views": lambda image: perceptual_hash(np.asarray(image))}


@dataclass
class Planted:
    """LFW, and the copies in each form: places of the 1,000 images drawn, hashes, sizes in pixels, crops of faces."""

    paths: list[str]
    labels: Numbers
    chosen: Numbers
    hashes: dict[str, Numbers]
    copies: dict[str, dict[str, Numbers]]
    sizes: list[tuple[int, int]]
    vectors: dict[str, dict[str, Numbers]]

    @property
    def sources(self) -> Numbers:
        return self.chosen[PLANTED:]


@dataclass
class Pairs:
    """Pairs of LFW's own images that are near by their faces."""

    one: Numbers
    other: Numbers
    cosines: Numbers


def opened(path: str) -> Picture:
    return Image.open(DATA / "lfw" / "images" / path).convert("RGB")


def hashed(pictures: Iterable[Picture]) -> dict[str, Numbers]:
    """Hash pictures in every way: name -> uint8 [N, V, B], V views of B bytes."""
    rows: list[list[bytes]] = [[make(picture) for make in HASHES.values()] for picture in pictures]
    found = {}
    for place, name in enumerate(HASHES):
        width = VIEW_BYTES if name == "views" else len(rows[0][place])
        found[name] = np.frombuffer(b"".join(row[place] for row in rows), np.uint8).reshape(len(rows), -1, width)
    return found


def embedded(profile: profiles.Profile, pictures: list[Picture]) -> Numbers:
    """Embed the profile's crop of each picture, scaled from LFW's 250 pixels to the picture's size."""
    assert profile.crop is not None
    crop, crops, (height, width) = profile.crop, [], profile.input
    for picture in pictures:
        across, down = picture.width / SIDE, picture.height / SIDE
        corner = (crop.centre_x - crop.side / 2) * across, (crop.centre_y - crop.side / 2) * down
        box = (*corner, crop.side * across, crop.side * down)
        crops.append(pixels.resample(np.asarray(picture), box, (height, width)))
    network = models.load(profile)
    return np.concatenate([network.embed(np.stack(crops[start : start + 32])) for start in range(0, len(crops), 32)])


def plant() -> Planted:
    stored = np.load(DATA / "lfw" / LFW_EMBEDDINGS["facenet"])
    paths = [str(path) for path in stored["paths"]]
    chosen = np.random.default_rng(0).permutation(len(paths))[: 2 * PLANTED]
    vectors: dict[str, dict[str, Numbers]] = {
        name: {"lfw": np.load(DATA / "lfw" / file)["embeddings"].astype(np.float16)}
        for name, file in LFW_EMBEDDINGS.items()
    }
    made = Planted(paths, stored["labels"], chosen, hashed(map(opened, paths)), {}, [], vectors)
    for form, change in FORMS.items():
        pictures = [change(opened(paths[place])) for place in made.sources]
        made.copies[form], made.sizes = hashed(pictures), [picture.size for picture in pictures]
        for name in LFW_EMBEDDINGS:
            profile = profiles.load(name, PROFILES)
            made.vectors[name][form] = embedded(profile, pictures).astype(np.float16)
    return made


def near_pairs(vectors: Numbers, cosine: float) -> Pairs:
    parts = []
    for start in range(0, len(vectors), BLOCK):
        one, other, cosines = hits(vectors[start : start + BLOCK], vectors[start:], cosine)
        once = one < other
        parts.append((one[once] + start, other[once] + start, cosines[once]))
    return Pairs(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def bits(one: Numbers, other: Numbers) -> Numbers:
    """Bits in which images differ, the whole of either against the views of the other."""
    return np.minimum(least_difference(one, other[:, 0]), least_difference(other, one[:, 0]))


def line(name: str, values: Numbers, form: str) -> None:
    print(f"  {name:24}" + "".join(format(value, form) for value in np.quantile(values, SHARES)))


def distributions(made: Planted, name: str, pairs: Pairs) -> None:
    """Print the cosines and differences of planted pairs and of LFW's own near ones, as quantiles."""
    print(f"\n{name}: quantiles                " + "".join(f"{share:9.0%}" for share in SHARES))
    lfw = made.vectors[name]["lfw"]
    same = made.labels[pairs.one] == made.labels[pairs.other]
    for form in FORMS:
        line(f"cosine, {form}", pair_cosine(lfw[made.sources], made.vectors[name][form]), "9.3f")
    several = [np.flatnonzero(made.labels == label) for label in np.flatnonzero(np.bincount(made.labels) > 1)]
    ends = np.concatenate([group[np.stack(np.triu_indices(len(group), 1))] for group in several], axis=1)
    line("cosine, same person", pair_cosine(lfw[ends[0]], lfw[ends[1]]), "9.3f")
    impostors = np.random.default_rng(1).integers(0, len(lfw), (2, 200_000))
    apart = made.labels[impostors[0]] != made.labels[impostors[1]]
    line("cosine, impostors", pair_cosine(*lfw[impostors[:, apart]]), "9.3f")
    views = made.hashes["views"]
    for form in FORMS:
        line(f"bits, {form}", bits(views[made.sources], made.copies[form]["views"]), "9.0f")
    line("bits, near same person", bits(views[pairs.one[same]], views[pairs.other[same]]), "9.0f")
    line("bits, impostors", bits(*views[impostors[:, apart][:, :20_000]]), "9.0f")


def comparison(made: Planted, pairs: Pairs) -> None:
    """Print for each hash how many bits find 97 % of the copies, and how many of LFW's own pairs those find too."""
    print(f"  {'hash':10}{'bits for 97 %: all':>20}{'corner':>10}{'own pairs found':>18}   their least differences")
    for kind, values in made.hashes.items():
        own = np.sort(bits(values[pairs.one], values[pairs.other]))
        sources = values[made.sources]
        needed = [np.quantile(bits(sources, made.copies[form][kind]), TARGET) for form in ("all", "corner")]
        found = np.count_nonzero(own <= max(needed))
        print(f"  {kind:10}{needed[0]:20.0f}{needed[1]:10.0f}{found:18,}   {' '.join(map(str, own[:40:2]))}")


def followers(spark: SparkSession, made: Planted, name: str, settings: Decide) -> dict[int, int]:
    """Run the stage on LFW, the exact copies and the copies in form `all`: image -> keeper, both as places."""
    exact = made.chosen[:PLANTED]
    origin = np.concatenate([np.arange(len(made.paths)), exact, made.sources])
    vectors = made.vectors[name]
    every = np.concatenate([vectors["lfw"], vectors["lfw"][exact], vectors["all"]])
    views = np.concatenate([made.hashes["views"], made.hashes["views"][exact], made.copies["all"]["views"]])
    sizes = [(SIDE, SIDE)] * (len(origin) - PLANTED) + made.sizes
    rows = [
        (
            place,
            place,
            f"{place:05}",
            str(made.labels[source]),
            *sizes[place],
            1.0,
            views[place].tobytes(),
            None,
            None,
            False,
        )
        for place, source in enumerate(origin.tolist())
    ]
    pairs = near_pairs(every, settings.near_cosine)
    columns = (column.tolist() for column in (pairs.one, pairs.other, pairs.cosines))
    edges = [("global", one, other, cosine, None) for one, other, cosine in zip(*columns, strict=True)]
    graph = Edges(spark.createDataFrame(edges, EDGES.columns))
    faces = Candidates(spark.createDataFrame(rows, CANDIDATES))
    followers = near_duplicates(faces, graph, settings, _every_candidate)
    return dict(followers.where("leader IS NOT NULL").select("image_id", "leader").collect())


def _every_candidate(pairs: CandidatePairs) -> ComparedPairs:
    """Take every candidate for a copy: what is measured here is what the hashes propose."""
    terms = {"copy": F.lit(True), "alike": F.lit(True), "confidence": F.lit(1.0)}
    return ComparedPairs(pairs.select("better", "worse").withColumns(terms))


def outcome(made: Planted, name: str, found: dict[int, int], settings: Decide) -> bool:
    """Print targets and what was measured; say whether all are reached."""
    first, lfw, views = len(made.paths), made.vectors[name]["lfw"], made.hashes["views"]
    exact = np.mean([image in found for image in range(first, first + PLANTED)])
    near = np.mean([image in found for image in range(first + PLANTED, first + 2 * PLANTED)])
    rows = [("exact copies found", 1.0, exact), ("near copies found (all)", TARGET, near)]
    for form in FORMS:
        close = pair_cosine(lfw[made.sources], made.vectors[name][form]) >= settings.near_cosine
        alike = bits(views[made.sources], made.copies[form]["views"]) <= settings.near_bits
        rows.append((f"pairs within the limits, {form}", TARGET, np.mean(close & alike)))
    for what, target, measured in rows:
        print(f"  {what:40} target {target:7.1%}   measured {measured:7.1%}")
    return all(measured >= target for _, target, measured in rows)


def own_pairs(made: Planted, pairs: Pairs, settings: Decide, sheet: str) -> None:
    """Print LFW's own near duplicates, and the pairs that come next; draw them if a file is named."""
    differences = bits(made.hashes["views"][pairs.one], made.hashes["views"][pairs.other])
    same = made.labels[pairs.one] == made.labels[pairs.other]
    within = differences <= settings.near_bits
    print(f"  LFW's own pairs within the limits: {(within & same).sum()} of one name, {(within & ~same).sum()} of two")
    closest = np.argsort(differences, kind="stable")[: max(40, within.sum() + 16)]
    canvas = Image.new("RGB", (8 * 210, (len(closest) + 7) // 8 * 125), "white")
    for place, pair in enumerate(closest):
        one, other = (made.paths[ends[pair]] for ends in (pairs.one, pairs.other))
        caption = f"{differences[pair]} bits, {pairs.cosines[pair]:.3f}" + ("" if same[pair] else ", two names")
        print(f"    {one} {other}: {caption}")
        x, y = place % 8 * 210, place // 8 * 125
        for shift, path in ((0, one), (101, other)):
            canvas.paste(opened(path).resize((100, 100)), (x + shift, y))
        ImageDraw.Draw(canvas).text((x, y + 102), caption, fill="black")
    if sheet:
        canvas.save(sheet)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--cosine", type=float, default=Decide().near_cosine, help="instead of decide.near_cosine")
    parser.add_argument("--bits", type=int, default=Decide().near_bits, help="instead of decide.near_bits")
    parser.add_argument("--sheet", default="", metavar="PREFIX", help="draw the closest pairs that nobody planted")
    options = parser.parse_args()
    settings = Decide(near_cosine=options.cosine, near_bits=options.bits)
    made, reached = plant(), []
    spark = session(2, {"spark.sql.shuffle.partitions": 4})
    spark.sparkContext.setCheckpointDir(tempfile.mkdtemp(prefix="duplicates-"))
    print(f"limits: cosine >= {options.cosine}, at most {options.bits} bits")
    for name in LFW_EMBEDDINGS:
        pairs = near_pairs(made.vectors[name]["lfw"], options.cosine)
        distributions(made, name, pairs)
        comparison(made, pairs)
        reached.append(outcome(made, name, followers(spark, made, name, settings), settings))
        own_pairs(made, pairs, settings, options.sheet and f"{options.sheet}-{name}.png")
    spark.stop()
    return 0 if all(reached) else 1


if __name__ == "__main__":
    sys.exit(main())
