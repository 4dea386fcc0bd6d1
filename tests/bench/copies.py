"""Copies of photographs, frames of films and other photographs: which pairs are shown to be one photograph.

    python tests/bench/copies.py            # every fifth photograph, some minutes
    python tests/bench/copies.py --every 1  # all
    python tests/bench/copies.py --model mobilefacenet

Needs the development data (FACESIEVE_DATA), the demonstration's photographs and the model's weights. The sources
are the colour sample of LFW, the demonstration and 200 images of LFW (seed 5). Of each, one copy of every kind is made,
and its face is found and embedded anew. A pair is judged as in a folder of two: by cosine and hashes, or by the whole
pictures where no edge joins the faces, then by what the pictures show. Not one
photograph are frames of a film (the head turns by 3 degrees and shifts by 2 %, with noise). Pairs of photographs of one
person of LFW, the nearest first, hold copies that nobody planted, so their line has no target. Exits 1 below a target.
"""

from __future__ import annotations

import argparse
import io
import itertools
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from bench_environment import DATA, PROFILES
from PIL import Image, ImageDraw, ImageEnhance, ImageOps

from facesieve import models
from facesieve.core import profiles
from facesieve.core.sections import Decide, Embed
from facesieve.decide.alike_hashes import MIRROR_LEAD, MIRROR_SHARE
from facesieve.decide.kernels.duplicates import least_difference, lone_pairs
from facesieve.decide.kernels.same_photograph import Likeness, View, is_alike, likeness, shows_copy
from facesieve.decide.kernels.starting_maps import by_frames, by_points, face_points
from facesieve.embed.crops import Face, cut, faces, standard
from facesieve.embed.decode import picture
from facesieve.embed.perceptual_hash import VIEW_BYTES, VIEWS, face_hash, perceptual_hash, turned_hash
from facesieve.embed.picture import Picture, Unusable
from facesieve.embed.small_pictures import shrink

RECALL, FALSE, FRAMES = 0.97, 0.001, 10
DEMO = Path(__file__).resolve().parents[2] / ".cache" / "demo"
Photograph = Image.Image


def encoded(image: Photograph, quality: int = 90) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=quality)
    return stream.getvalue()


def resized(image: Photograph, scale: float) -> Photograph:
    return image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.BICUBIC)


def trimmed(image: Photograph, share: float) -> Photograph:
    across, down = round(image.width * share), round(image.height * share)
    return image.crop((across, down, image.width - across, image.height - down))


def letterboxed(image: Photograph) -> Photograph:
    room = Image.new("RGB", (round(image.width * 1.44), image.height))
    room.paste(image, ((room.width - image.width) // 2, 0))
    return room


def marked(image: Photograph) -> Photograph:
    copy = image.copy()
    ImageDraw.Draw(copy).text((10, image.height - 25), "(c) picture agency 123456", fill="white")
    return copy


COPIES: dict[str, Callable[[Photograph], bytes]] = {
    "encoded, quality 60": lambda image: encoded(image, 60),
    "resized to 0.7": lambda image: encoded(resized(image, 0.7)),
    "resized to 0.4": lambda image: encoded(resized(image, 0.4)),
    "cut by 3 %": lambda image: encoded(trimmed(image, 0.03)),
    "cut by 10 %": lambda image: encoded(trimmed(image, 0.1)),
    "brighter by 1.4": lambda image: encoded(ImageEnhance.Brightness(image).enhance(1.4)),
    "darker by 0.6": lambda image: encoded(ImageEnhance.Brightness(image).enhance(0.6)),
    "mirrored": lambda image: encoded(ImageOps.mirror(image)),
    "mirrored, cut by 10 %": lambda image: encoded(trimmed(ImageOps.mirror(image), 0.1), 75),
    "letterboxed": lambda image: encoded(letterboxed(image)),
    "framed": lambda image: encoded(ImageOps.expand(image, round(0.08 * image.width), "white")),
    "grey": lambda image: encoded(image.convert("L").convert("RGB")),
    "marked": lambda image: encoded(marked(image)),
    "turned by 90": lambda image: encoded(image.rotate(90, expand=True)),
    "turned by 180": lambda image: encoded(image.rotate(180)),
    "turned by 270": lambda image: encoded(image.rotate(270, expand=True)),
}


def frame(image: Photograph, number: int, noise: np.random.Generator) -> bytes:
    """One frame of a film of a still photograph, as a hand holds the camera."""
    time, unit = number / 30 * 2 * np.pi, image.width / 250
    shift = 6 * np.sin(time) * unit, 3 * np.cos(time) * unit
    turned = image.rotate(3 * np.sin(time), Image.Resampling.BICUBIC, translate=shift)
    lit = np.asarray(ImageEnhance.Brightness(turned).enhance(1 + 0.05 * np.sin(3 * time)), np.float64)
    return encoded(Image.fromarray(np.clip(lit + noise.normal(0, 2, lit.shape), 0, 255).astype(np.uint8)))


@dataclass(frozen=True)
class Seen:
    """What the job knows of an image."""

    view: View
    face: Face
    vector: np.ndarray
    picture: np.ndarray
    hashes: np.ndarray
    turned: np.ndarray


def seen(contents: list[bytes], profile: profiles.Profile) -> list[Seen | None]:
    """Decode, find the largest face, hash and embed; None where no face is found."""
    pictures = [picture(content, Embed()) for content in contents]
    answers = faces(pictures, profile, Embed(faces="largest"))
    largest = [None if isinstance(answer, Unusable) else answer[0] for answer in answers]
    ends = [(of, face) for of, face in zip(pictures, largest, strict=True) if face is not None]
    vectors = iter(
        models.load(profile).embed(np.stack([cut(*end, (profile.input[0], profile.input[1])) for end in ends]))
        if ends
        else ()
    )
    return [
        None if face is None else _seen(of, face, next(vectors)) for of, face in zip(pictures, largest, strict=True)
    ]


def _seen(of: Picture, face: Face, vector: np.ndarray) -> Seen:
    bits = [
        np.frombuffer(hashed, np.uint8).reshape(1, -1, VIEW_BYTES)
        for hashed in (perceptual_hash(of.pixels), face_hash(standard(of, face)), turned_hash(of.pixels))
    ]
    return Seen(View(shrink(of), (of.width, of.height)), face, vector, *bits)


def judged(one: Seen, other: Seen, settings: Decide) -> tuple[bool, Likeness | None]:
    """Say whether a pair is a candidate, and what its pictures show."""
    if float(one.vector @ other.vector) < settings.near_cosine:
        return _lone(one, other, settings)
    views = len(VIEWS)
    whole = min(_bits(one.picture, other.picture[:, 0]), _bits(other.picture, one.picture[:, 0]))
    face, mirror = (
        min(_bits(a.hashes[:, :views], b.hashes[:, place]) for a, b in ((one, other), (other, one)))
        for place in (0, views)
    )
    most = settings.near_face_bits
    ahead = mirror <= most * MIRROR_SHARE and face - mirror >= MIRROR_LEAD
    if whole > settings.near_bits and min(face, mirror) > most and not ahead:
        return False, None
    return True, _laid(one, other, mirrored=mirror < min(face, whole))


def _lone(one: Seen, other: Seen, settings: Decide) -> tuple[bool, Likeness | None]:
    """Judge two images of a folder that no edge joins, the second as the lone one."""
    wholes, turned = (
        np.concatenate(parts) for parts in ((other.picture[:, 0], one.picture[:, 0]), (other.turned, one.turned))
    )
    pairs = lone_pairs(wholes, turned, np.array([True, False]), settings.near_bits)
    if not pairs.shape[1]:
        return False, None
    return True, _laid(one, other, turn=-int(pairs[3, 0]) % 4)


def _laid(one: Seen, other: Seen, *, mirrored: bool = False, turn: int = 0) -> Likeness | None:
    points = [face_points(each.face.landmarks, each.face.box) for each in (one, other)]
    starts = (
        by_points(points[0], points[1], mirrored=mirrored),
        by_frames(one.view.size, other.view.size, mirrored=mirrored, turn=turn),
    )
    return likeness(one.view, other.view, starts, one.face.box)


def _bits(views: np.ndarray, whole: np.ndarray) -> int:
    return int(least_difference(views, whole)[0])


def sources(every: int) -> list[Path]:
    lfw = sorted((DATA / "lfw" / "images").glob("*/*.jpg"))
    drawn = [lfw[place] for place in np.random.default_rng(5).permutation(len(lfw))[:200]]
    colour = sorted((DATA / "lfw_colour" / "images").glob("*/*.jpg"))
    return [*colour, *sorted(DEMO.glob("*/*/*.jpg")), *drawn][::every]


def sittings(most: int) -> list[tuple[Path, Path]]:
    """Pairs of one person of LFW, the nearest by FaceNet's cosine first."""
    stored = np.load(DATA / "lfw" / "facenet_embeddings.npz")
    labels, vectors = stored["labels"], stored["embeddings"]
    pairs = []
    for label in np.flatnonzero(np.bincount(labels) > 1):
        places = np.flatnonzero(labels == label)
        one, two = np.triu_indices(len(places), 1)
        cosines = (vectors[places] @ vectors[places].T)[one, two]
        pairs += list(zip(cosines.tolist(), places[one].tolist(), places[two].tolist(), strict=True))
    paths = [DATA / "lfw" / "images" / str(path) for path in stored["paths"]]
    return [(paths[one], paths[two]) for _, one, two in sorted(pairs, reverse=True)[:most]]


def line(kind: str, pairs: list[tuple[bool, Likeness | None]], without: int = 0) -> tuple[int, int]:
    """Print what became of the pairs of a kind; return how many were shown, of how many."""
    candidates = sum(near for near, _ in pairs)
    shown = sum(agreement is not None and shows_copy(agreement) for _, agreement in pairs)
    alike = sum(agreement is not None and is_alike(agreement) for _, agreement in pairs)
    share = shown / max(1, len(pairs))
    print(f"{kind:24}{len(pairs):7}{candidates:12}{alike:8}{shown:8}{share:9.2%}{without:9}", flush=True)
    return shown, len(pairs)


def copies(paths: list[Path], profile: profiles.Profile) -> Iterator[bool]:
    originals = seen([path.read_bytes() for path in paths], profile)
    for kind, change in COPIES.items():
        changed = seen([change(Image.open(path).convert("RGB")) for path in paths], profile)
        both = [(one, other) for one, other in zip(originals, changed, strict=True) if one and other]
        shown, count = line(kind, [judged(*pair, Decide()) for pair in both], len(paths) - len(both))
        yield shown >= RECALL * count


def films(paths: list[Path], profile: profiles.Profile) -> tuple[int, int]:
    pairs = []
    for number, path in enumerate(paths):
        noise, image = np.random.default_rng(number), Image.open(path).convert("RGB")
        frames = seen([frame(image, place, noise) for place in range(FRAMES)], profile)
        both = [(one, other) for one, other in itertools.pairwise(frames) if one and other]
        pairs += [judged(*pair, Decide()) for pair in both]
    return line("frames of a film", pairs)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--every", type=int, default=5, help="take every so many photographs")
    parser.add_argument("--model", choices=("facenet", "mobilefacenet"), default="facenet")
    options = parser.parse_args()
    profile, paths = profiles.load(options.model, PROFILES), sources(options.every)
    print(f"{'kind':24}{'pairs':>7}{'candidates':>12}{'alike':>8}{'shown':>8}{'':>9}{'no face':>9}")
    reached = list(copies(paths, profile))
    shown, count = films(paths, profile)
    near = sittings(2_000 // options.every)
    ends = [seen([one.read_bytes(), other.read_bytes()], profile) for one, other in near]
    line("LFW, one person", [judged(one, other, Decide()) for one, other in ends if one and other])
    return 0 if all(reached) and shown <= FALSE * count else 1


if __name__ == "__main__":
    sys.exit(main())
