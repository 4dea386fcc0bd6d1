"""Near copies of erased pictures: how many of them are rejected, and how many other pictures with them.

    python tests/bench/near_copies.py       # some two minutes; needs the development data (FACESIEVE_DATA)

500 images of LFW are drawn (seed 0) and erased, as `erase.block_similar` does: bands of the hash of the whole picture
and of its quarter turns. Copies are made of each in eleven forms. Others are all images of LFW that were not drawn, as
they are and mirrored. For each number of agreeing bands the table has the share of copies that are rejected, and how
many others are. `core/resemblance.py` takes the number AGREEING.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable

import numpy as np
from bench_environment import DATA
from PIL import Image, ImageOps
from results import note

from facesieve.core.resemblance import AGREEING, Resembled, bands_of
from facesieve.embed.perceptual_hash import VIEW_BYTES, orientations, picture_hashes

ERASED, SEED, KEY = 500, 0, b"k" * 32
MOST = 8
Picture = Image.Image
TURN = Image.Transpose


def encoded(image: Picture, quality: int = 85) -> Picture:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=quality)
    return Image.open(stream).convert("RGB")


def scaled(image: Picture, factor: float, quality: int = 85) -> Picture:
    size = (round(image.width * factor), round(image.height * factor))
    return encoded(image.resize(size, Image.Resampling.BICUBIC), quality)


FORMS: dict[str, Callable[[Picture], Picture]] = {
    "quality 60": lambda image: encoded(image, 60),
    "quality 30": lambda image: encoded(image, 30),
    "half size": lambda image: scaled(image, 0.5),
    "twice the size": lambda image: scaled(image, 2),
    "half size, quality 60": lambda image: scaled(image, 0.5, 60),
    "quarter turn": lambda image: encoded(image.transpose(TURN.ROTATE_90)),
    "half turn": lambda image: encoded(image.transpose(TURN.ROTATE_180)),
    "mirrored": lambda image: encoded(image.transpose(TURN.FLIP_LEFT_RIGHT)),
    "mirrored and turned": lambda image: encoded(image.transpose(TURN.TRANSPOSE)),
    "brighter by a fifth": lambda image: encoded(image.point(lambda value: min(255, round(value * 1.2)))),
    "3 % cut off each side": lambda image: encoded(ImageOps.crop(image, round(image.width * 0.03))),
}


def views(image: Picture) -> list[bytes]:
    """The hashes by which a picture is looked for: as it is, and mirrored."""
    both = (image, image.transpose(TURN.FLIP_LEFT_RIGHT))
    return [picture_hashes(np.asarray(each))[0][:VIEW_BYTES] for each in both]


def agreeing(erased: Resembled, hashes: list[bytes], of: range) -> int:
    """The most bands that agree with one erased picture among `of`, its turns one picture each."""
    most = 0
    for each in hashes:
        numbers = (number for band in bands_of(KEY, each) for number in erased.bands.get(band, ()) if number in of)
        most = max(most, *Counter(numbers).values(), 0)
    return most


def main() -> None:
    files = sorted((DATA / "lfw" / "images").rglob("*.jpg"))
    chosen = set(np.random.default_rng(SEED).choice(len(files), ERASED, replace=False).tolist())
    pictures = [Image.open(files[number]).convert("RGB") for number in sorted(chosen)]
    turned = [orientations(*picture_hashes(np.asarray(picture))) for picture in pictures]
    erased = Resembled.of(KEY, [bands_of(KEY, each) for hashes in turned for each in hashes])
    everyone = range(4 * ERASED)
    counts = {
        form: [agreeing(erased, views(make(each)), range(4 * row, 4 * row + 4)) for row, each in enumerate(pictures)]
        for form, make in FORMS.items()
    }
    rest = (file for number, file in enumerate(files) if number not in chosen)
    others = np.array([agreeing(erased, views(Image.open(file).convert("RGB")), everyone) for file in rest])
    print("form", *range(1, MOST), sep="\t")
    for form, bands in counts.items():
        print(form, *(f"{np.mean(np.array(bands) >= least):.3f}" for least in range(1, MOST)), sep="\t")
    print(f"of {len(others)} others", *(int((others >= least).sum()) for least in range(1, MOST)), sep="\t")
    whole = [share for form, bands in counts.items() if "cut" not in form for share in bands]
    rejected = float(np.mean(np.array(whole) >= AGREEING))
    note("near_copies", copies_rejected=rejected, others_rejected=float((others >= AGREEING).mean()))


if __name__ == "__main__":
    main()
