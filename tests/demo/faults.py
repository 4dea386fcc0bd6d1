"""The faults that the demonstration plants, and how the made ones are made."""

from __future__ import annotations

import io
import struct
import zlib
from enum import Enum

from PIL import Image, ImageChops, ImageOps


class Kind(str, Enum):
    """What was planted, as `planted.csv` calls it."""

    MOVED = "moved"
    COPY_BESIDE = "copy_beside"
    COPY_ELSEWHERE = "copy_elsewhere"
    CUT = "cut_jpeg"
    TEXT = "text"
    BOMB = "huge_header"
    FACELESS = "no_face"


def cut(jpeg: bytes) -> bytes:
    """Return the first half of a JPEG file: its header is whole, its picture is not."""
    return jpeg[: len(jpeg) // 2]


def text() -> bytes:
    """Return what somebody wrote down and saved under the wrong name."""
    return b"This was never a photograph.\n" * 20


def bomb(side: int = 60_000) -> bytes:
    """Return a PNG of less than 100 bytes whose header, with a valid checksum, claims `side` x `side` pixels."""
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(64))), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, content) for name, content in chunks)


def faceless(width: int = 480, height: int = 320) -> bytes:
    """Return a JPEG of an evening sky above the sea: slow gradients, nobody in it."""
    slope = Image.linear_gradient("L")
    sky = ImageOps.colorize(slope, "#20406a", "#e8a070").resize((width, height * 2 // 3))
    sea = ImageOps.colorize(ImageChops.invert(slope), "#0c1c30", "#7f6a64").resize((width, height - sky.height))
    picture = Image.new("RGB", (width, height))
    picture.paste(sky, (0, 0))
    picture.paste(sea, (0, sky.height))
    content = io.BytesIO()
    picture.save(content, "JPEG", quality=90)
    return content.getvalue()


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
