"""Files that were damaged, forged or made to exhaust whoever reads them: the same for the same seed."""

from __future__ import annotations

import io
import itertools
import random
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, PngImagePlugin

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "PPM", "GIF", "TIFF")
SUFFIXES = {"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp", "BMP": ".bmp", "PPM": ".ppm", "GIF": ".gif", "TIFF": ".tif"}
_HEADER = 64
_PNG = b"\x89PNG\r\n\x1a\n"


class File(NamedTuple):
    """A file of the corpus: what was done to it, its name, its content."""

    kind: str
    name: str
    content: bytes


def scene(width: int, height: int, seed: int = 0) -> Image.Image:
    """A picture with smooth and rough places."""
    chance = np.random.default_rng(seed)
    down, across = np.mgrid[:height, :width] / max(width, height)
    waves = np.stack([np.sin(20 * across), np.cos(31 * down), np.sin(17 * (down + across))], axis=-1) * 100 + 128
    return Image.fromarray(np.clip(waves + chance.normal(0, 12, waves.shape), 0, 255).astype(np.uint8))


def encoded(image: Image.Image, form: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


@cache
def sound() -> dict[str, bytes]:
    """Sound files in all formats and many of their kinds: name with suffix -> content."""
    image = scene(120, 90)
    frames = [scene(120, 90, seed) for seed in range(1, 4)]
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "A photograph"
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "x" * 300, zip=True)
    deep = Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)
    made = {
        "JPEG": [
            {},
            {"progressive": True},
            {"exif": exif, "icc_profile": b"p" * 500},
            {"quality": 98, "subsampling": 0},
        ],
        "PNG": [{}, {"exif": exif, "pnginfo": text}, {"save_all": True, "append_images": frames}],
        "WEBP": [{}, {"lossless": True}, {"save_all": True, "append_images": frames}, {"exif": exif}],
        "BMP": [{}],
        "PPM": [{}],
        "GIF": [{}, {"save_all": True, "append_images": frames}],
        "TIFF": [{}, {"compression": "tiff_lzw"}, {"compression": "tiff_adobe_deflate"}, {"compression": "jpeg"}],
    }
    files = [(form, encoded(image, form, **options)) for form, every in made.items() for options in every]
    modes = {"JPEG": "L CMYK", "PNG": "1 L LA P RGBA", "WEBP": "RGBA", "BMP": "1 L P", "PPM": "1 L", "TIFF": "1 CMYK F"}
    files += [(form, encoded(image.convert(mode), form)) for form, every in modes.items() for mode in every.split()]
    files += [(form, encoded(deep, form)) for form in ("PNG", "PPM", "TIFF")]
    files += [("PPM", b"P3 # text\n4 2 255\n" + b"9 8 7 " * 8), ("PPM", b"P6 4 2 65535\n" + bytes(range(48)))]
    return {f"{place:02}{SUFFIXES[form]}": content for place, (form, content) in enumerate(files)}


def _flipped(content: bytes, dice: random.Random) -> bytes:
    damaged = bytearray(content)
    for _ in range(dice.choice((1, 4, 30))):
        damaged[dice.randrange(len(damaged))] ^= 1 << dice.randrange(8)
    return bytes(damaged)


def _header(content: bytes, dice: random.Random) -> bytes:
    damaged = bytearray(content)
    for _ in range(dice.choice((1, 2, 6))):
        damaged[dice.randrange(min(_HEADER, len(damaged)))] = dice.choice((0, 1, 0x7F, 0x80, 0xFF, dice.randrange(256)))
    return bytes(damaged)


def _cut(content: bytes, dice: random.Random) -> bytes:
    return content[: dice.randrange(len(content))]


def _spliced(content: bytes, dice: random.Random) -> bytes:
    """The beginning of one file, and another from some place on."""
    other = dice.choice(list(sound().values()))
    return content[: dice.randrange(1, min(400, len(content)))] + other[dice.randrange(min(400, len(other))) :]


def _moved(content: bytes, dice: random.Random) -> bytes:
    """A piece left out, doubled, or blanked."""
    start = dice.randrange(len(content))
    piece = content[start : start + dice.choice((1, 2, 8, 300))]
    put = dice.choice((b"", piece * 2, piece * 200, bytes(len(piece)), b"\xff" * len(piece)))
    return content[:start] + put + content[start + len(piece) :]


_MUTATIONS: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "bits flipped": _flipped,
    "header damaged": _header,
    "cut": _cut,
    "header spliced": _spliced,
    "piece moved": _moved,
    "wrong suffix": lambda content, dice: content,
}


def in_all_formats(photographs: Iterable[Path]) -> dict[str, bytes]:
    """Photographs in every format in turn: name with suffix -> content."""
    made = {}
    for place, (file, form) in enumerate(zip(photographs, itertools.cycle(FORMATS), strict=False)):
        made[f"{place:05}{SUFFIXES[form]}"] = encoded(Image.open(file).convert("RGB"), form)
    return made


def mutated(count: int, seed: int = 0, given: Mapping[str, bytes] | None = None) -> Iterator[File]:
    """Damage sound files, in turn by each kind of damage; `given`: others than those of `sound`."""
    dice = random.Random(seed)
    files = list((given or sound()).items())
    for number in range(count):
        kind = list(_MUTATIONS)[number % len(_MUTATIONS)]
        name, content = dice.choice(files)
        suffix = dice.choice(list(SUFFIXES.values())) if kind == "wrong suffix" else "." + name.rpartition(".")[2]
        yield File(kind, f"{number:05}{suffix}", _MUTATIONS[kind](content, dice))


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(width: int, height: int, *extra: bytes, depth: int = 8, colour: int = 2, pixels: bytes = b"") -> bytes:
    """A PNG with any chunks before its pixels, which are `pixels` uncompressed."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"".join([_PNG, header, *extra, chunk(b"IDAT", zlib.compress(pixels, 9)), chunk(b"IEND", b"")])


def claiming(width: int, height: int) -> list[File]:
    """Small files whose headers claim a size."""
    jpeg = bytearray(encoded(scene(64, 48), "JPEG"))
    frame = jpeg.index(b"\xff\xc0") + 5
    jpeg[frame : frame + 4] = struct.pack(">HH", min(height, 65_535), min(width, 65_535))
    bmp = bytearray(encoded(scene(64, 48), "BMP"))
    bmp[18:26] = struct.pack("<ii", width, height)
    gif = bytearray(encoded(scene(64, 48), "GIF"))
    gif[6:10] = struct.pack("<HH", min(width, 65_535), min(height, 65_535))
    files = {
        "claim.png": png(width, height),
        "claim.jpg": bytes(jpeg),
        "claim.bmp": bytes(bmp),
        "claim.gif": bytes(gif),
        "claim.ppm": b"P6 %d %d 255\n" % (width, height),
        "claim.webp": b"RIFF\x1e\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0"
        + (max(width, 1) - 1).to_bytes(3, "little")
        + (max(height, 1) - 1).to_bytes(3, "little")
        + b"VP8L\0\0\0\0",
    }
    return [File(f"claims {width} x {height}", f"{width}x{height}-{name}", content) for name, content in files.items()]


def scans(copies: int) -> bytes:
    """A progressive JPEG whose last scan comes so many times more."""
    content = encoded(scene(600, 600), "JPEG", progressive=True, quality=20)
    last = content.rindex(b"\xff\xda")
    return content[:last] + content[last:-2] * copies + content[last:]


def segments(content: bytes, marker: int, body: bytes, copies: int) -> bytes:
    """A JPEG with so many segments more behind its first marker."""
    return content[:2] + (bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body) * copies + content[2:]


def _swollen() -> Iterator[tuple[str, bytes]]:
    """Small pictures with much beside the pixels, which most decoders read first."""
    rows = bytes(61) * 20
    noise = random.Random(0).randbytes(60_000)
    jpeg, zeros = encoded(scene(120, 90), "JPEG"), zlib.compress(bytes(200_000_000), 9)
    yield "chunks.png", png(20, 20, *([chunk(b"abCd", b"")] * 100_000), pixels=rows)
    yield "texts.png", png(20, 20, *([chunk(b"tEXt", b"a\0b")] * 100_000), pixels=rows)
    yield "pixel-chunks.png", png(20, 20, *([chunk(b"IDAT", b"")] * 100_000), pixels=rows)
    yield "text-bomb.png", png(20, 20, chunk(b"zTXt", b"a\0\0" + zeros), pixels=rows)
    small = zlib.compress(bytes(1_000_000), 9)
    yield "text-bombs.png", png(20, 20, *([chunk(b"zTXt", b"a\0\0" + small)] * 2_000), pixels=rows)
    yield "profile-bomb.png", png(20, 20, chunk(b"iCCP", b"a\0\0" + zeros), pixels=rows)
    yield "exif.png", png(20, 20, chunk(b"eXIf", b"MM\0*\0\0\0\x08\xff\xff" + noise * 300), pixels=rows)
    yield "exif.jpg", segments(jpeg, 0xE1, b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + noise, 400)
    profile = [b"ICC_PROFILE\0" + bytes([number, 255]) + noise for number in range(1, 256)]
    yield "profile.jpg", b"".join([jpeg[:2], *(segments(b"", 0xE2, body, 1) for body in profile), jpeg[2:]])
    yield "comments.jpg", segments(jpeg, 0xFE, b"", 1_000_000)
    yield "filled.jpg", jpeg[:2] + b"\xff" * 5_000_000 + jpeg[2:]


def _large() -> Iterator[tuple[str, bytes]]:
    """Small files of very many pixels that are there."""
    side = 7_000
    yield "black.png", png(side, side, pixels=bytes((3 * side + 1) * side))
    yield "clear.png", png(side, side, colour=6, pixels=bytes((4 * side + 1) * side))
    yield "deep.png", png(side, side, depth=16, colour=0, pixels=bytes((2 * side + 1) * side))
    yield "deep-clear.png", png(side, side, depth=16, colour=6, pixels=bytes((8 * side + 1) * side))
    yield "black.jpg", encoded(Image.new("RGB", (side, side)), "JPEG")
    yield "black-progressive.jpg", encoded(Image.new("CMYK", (side, side)), "JPEG", progressive=True)
    yield "black.webp", encoded(Image.new("RGB", (side, side)), "WEBP", lossless=True, method=0)


def _forged() -> Iterator[tuple[str, bytes]]:
    """What bears an image's name, and pictures of no size or of odd kinds."""
    jpeg, gif = encoded(scene(120, 90), "JPEG"), encoded(scene(120, 90), "GIF")
    tiff = encoded(scene(120, 90), "TIFF")
    yield from (("html.jpg", b"<html><body>404</body></html>" * 9), ("archive.jpg", b"PK\3\4" + bytes(200)))
    yield from (("page.png", b"%!PS-Adobe-3.0 EPSF-3.0\n(x) show\n"), ("drawing.webp", b"<svg xmlns='x'/>"))
    yield "pointer.jpg", b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 12345\n"
    yield from (("zeros.jpg", bytes(10_000)), ("empty.jpg", b""), ("one.jpg", b"\xff"), ("start.jpg", jpeg[:2]))
    yield from (("none.png", png(0, 10)), ("none.ppm", b"P6 0 10 255\n"), ("none.gif", gif[:6] + bytes(4) + gif[10:]))
    frame = jpeg.index(b"\xff\xc0") + 5
    yield "none.jpg", jpeg[:frame] + bytes(2) + jpeg[frame + 2 :]
    yield "doubled.jpg", jpeg + jpeg
    yield "video-behind.jpg", jpeg + b"\0\0\0\x18ftypmp42" + random.Random(1).randbytes(20_000_000)
    yield "palette-short.png", png(4, 4, chunk(b"PLTE", b"\1\2\3"), colour=3, pixels=(b"\0" + b"\xff" * 4) * 4)
    yield "palette-none.png", png(4, 4, colour=3, pixels=(b"\0" + b"\xff" * 4) * 4)
    yield "numbers.ppm", b"P3 2000 2000 255\n" + b"1" * 100_000
    yield "loop.tif", tiff[:4] + struct.pack("<I", 8) + struct.pack("<H", 0xFFFF) + tiff[10:]
    yield "animated.gif", encoded(scene(60, 40), "GIF", save_all=True, append_images=[scene(60, 40, 1)] * 60)
    moving = encoded(scene(60, 40), "WEBP", save_all=True, append_images=[scene(60, 40, 1)] * 100)
    yield from (("animated.webp", moving), ("animated-cut.webp", moving[: len(moving) // 2]))


def bombs(large: bool = True) -> Iterator[File]:
    """Files made to exhaust or mislead a decoder; `large`: also those that do have 49 million pixels."""
    for size in ((60_000, 60_000), (7_000, 7_000), (60_000, 1), (0, 0)):
        yield from claiming(*size)
    yield from (File("scans", f"scans-{copies}.jpg", scans(copies)) for copies in (20, 1_500))
    for kind, make in {"swollen": _swollen, "forged": _forged, "large": _large}.items():
        if large or kind != "large":
            yield from (File(kind, name, content) for name, content in make())
