from __future__ import annotations

import io
import random
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from hostile import TURNS
from PIL import Image

from facesieve.core.reasons import Reason
from facesieve.core.sections import Embed
from facesieve.embed.decode import check_bytes, picture
from facesieve.embed.picture import Unusable

EMBED = Embed()
WITH_GIF = Embed(formats=("JPEG", "PNG", "WEBP", "BMP", "PPM", "GIF", "TIFF"))
GRADIENT = np.add.outer(np.arange(40) * 3, np.arange(60) * 2)


def encoded(image: Any, kind: str = "PNG", **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def colour() -> Any:
    return Image.fromarray(np.stack([GRADIENT, GRADIENT[::-1], GRADIENT // 2], axis=2).astype(np.uint8))


def png_of_claimed_size(width: int, height: int) -> bytes:
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"")),
        (b"IEND", b""),
    ]
    parts = [
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def refused(content: bytes, embed: Embed = EMBED) -> Unusable:
    with pytest.raises(Unusable) as caught:
        picture(content, embed)
    return caught.value


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "BMP", "PPM", "GIF", "TIFF", "JPEG"])
def test_every_format_gives_its_pixels(kind: str) -> None:
    image = colour().quantize(256) if kind == "GIF" else colour()
    lossless: dict[str, dict[str, Any]] = {"WEBP": {"lossless": True}, "JPEG": {"quality": 98}}
    options = lossless.get(kind, {})
    error = np.abs(picture(encoded(image, kind, **options), WITH_GIF).pixels.astype(int) - np.asarray(colour()))
    assert error.mean() <= (3 if kind in ("JPEG", "GIF") else 0)


def test_sixteen_bits_are_scaled_not_clipped() -> None:
    deep = Image.fromarray((GRADIENT * 257).astype(np.uint16))
    assert np.array_equal(picture(encoded(deep), EMBED).pixels, np.repeat(GRADIENT[:, :, None], 3, axis=2))


@pytest.mark.parametrize("mode", ["L", "1", "P", "CMYK"])
def test_other_colour_modes_look_the_same(mode: str) -> None:
    image = colour().convert(mode)
    content = encoded(image, "JPEG", quality=98) if mode == "CMYK" else encoded(image)
    assert np.abs(picture(content, EMBED).pixels.astype(int) - np.asarray(image.convert("RGB"))).mean() < 3


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparent_pixels_are_white(mode: str) -> None:
    if mode == "P":
        image = Image.new("P", (40, 40), 3)
        image.putpalette([0, 0, 0] * 256)
        image.paste(7, (0, 0, 20, 40))
        content = encoded(image, transparency=3)
    else:
        image = Image.new(mode, (40, 40), (0,) * len(mode))
        image.paste((0,) * (len(mode) - 1) + (255,), (0, 0, 20, 40))
        content = encoded(image)
    pixels = picture(content, EMBED).pixels
    assert not pixels[:, :20].any()
    assert (pixels[:, 20:] == 255).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation_is_undone(orientation: Any) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = colour()
    for turn in TURNS[orientation]:
        stored = stored.transpose(turn)
    assert np.array_equal(picture(encoded(stored, exif=exif), EMBED).pixels, np.asarray(colour()))


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_large_jpeg_is_decoded_at_a_fraction_unless_all_of_it_is_wanted(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encoded(colour().resize((3_001, 2_000)), "JPEG", exif=exif)
    upright = (3_001, 2_000) if orientation == 1 else (2_000, 3_001)
    reduced, full = picture(content, EMBED), picture(content, EMBED, full=True)
    for found in (reduced, full):
        assert (found.width, found.height) == upright
    assert full.pixels.shape[1::-1] == upright
    assert full.scale == 1.0
    assert max(reduced.pixels.shape) == 1_501
    assert reduced.scale == pytest.approx(2, abs=0.01)
    again = np.asarray(Image.fromarray(full.pixels).resize(reduced.pixels.shape[1::-1], Image.Resampling.BOX))
    assert np.abs(again.astype(int) - reduced.pixels).mean() < 3


def test_what_is_cut_by_fixed_pixels_is_decoded_in_full() -> None:
    content = encoded(colour().resize((3_000, 2_000)), "JPEG")
    assert picture(content, Embed(detector="aligned")).scale == 1.0
    assert picture(encoded(colour().resize((3_000, 2_000))), EMBED).scale == 1.0, "only JPEG can be decoded in part"


def jpeg_of_claimed_size(width: int, height: int) -> bytes:
    content = bytearray(encoded(colour(), "JPEG"))
    frame = content.index(b"\xff\xc0") + 5
    content[frame : frame + 4] = struct.pack(">HH", height, width)
    return bytes(content)


def test_a_jpeg_is_judged_by_the_size_at_which_it_is_decoded() -> None:
    content = encoded(colour().resize((3_000, 2_000)), "JPEG")
    for most, full in ((6_000_000, (3_000, 2_000)), (5_999_999, (1_500, 1_000)), (1_499_999, (750, 500))):
        reduced, all_of_it = (picture(content, Embed(max_pixels=most), full=each) for each in (False, True))
        assert all_of_it.pixels.shape[1::-1] == full
        assert reduced.pixels.size <= all_of_it.pixels.size <= 3 * most
        assert (reduced.width, reduced.height) == (all_of_it.width, all_of_it.height) == (3_000, 2_000)
    assert "embed.max_pixels is 90000" in refused(content, Embed(max_pixels=90_000)).detail
    assert "embed.max_pixels is 5999999" in refused(content, Embed(max_pixels=5_999_999, detector="aligned")).detail
    assert "embed.max_full_pixels is 5999999" in refused(content, Embed(max_full_pixels=5_999_999)).detail
    assert (
        "embed.max_pixels is 5999999"
        in refused(encoded(colour().resize((3_000, 2_000))), Embed(max_pixels=5_999_999)).detail
    )


def test_what_no_sound_camera_makes_is_refused_by_its_header() -> None:
    assert refused(jpeg_of_claimed_size(16_320, 12_240)).detail.startswith("JPEG: truncated"), "200 megapixels are not"
    assert refused(jpeg_of_claimed_size(20_000, 13_000)).reason is Reason.TOO_LARGE
    assert refused(jpeg_of_claimed_size(60_000, 60_000)).reason is Reason.TOO_LARGE
    assert Image.MAX_IMAGE_PIXELS == 89_478_485, "as Pillow has it"


def test_a_long_jpeg_keeps_the_pixels_that_its_tiles_need() -> None:
    content = encoded(colour().resize((8_000, 1_000)), "JPEG")
    assert picture(content, EMBED).pixels.shape[:2] == (1_000, 8_000)
    assert picture(content, Embed(detector_side=640)).pixels.shape[:2] == (500, 4_000)


def test_thousands_of_scans_are_refused_before_they_are_decoded() -> None:
    content = encoded(colour(), "JPEG", progressive=True)
    assert picture(content, EMBED).width == 60
    start, end = content.index(b"\xff\xda"), content.rindex(b"\xff\xd9")
    with pytest.raises(Unusable) as caught:
        picture(content[:end] + content[start:end] * 200 + content[end:], EMBED)
    assert caught.value.reason == Reason.UNDECODABLE
    assert "scans" in caught.value.detail


def test_what_stands_in_segments_and_behind_a_jpeg_is_no_scan() -> None:
    content, scans = encoded(colour(), "JPEG"), b"\xff\xda\0\x02" * 1_000
    comment = b"\xff\xfe" + struct.pack(">H", len(scans) + 2) + scans
    assert picture(content[:2] + comment + content[2:] + scans * 40, EMBED).width == 60


def test_a_jpeg_that_others_follow_is_one() -> None:
    stream = io.BytesIO()
    large = colour().resize((3_000, 2_000))
    large.save(stream, "MPO", save_all=True, append_images=[large.rotate(180)])
    found = picture(stream.getvalue(), EMBED)
    assert (found.width, found.height, found.pixels.shape) == (3_000, 2_000, (1_000, 1_500, 3))
    content = stream.getvalue()
    last, end = content.index(b"\xff\xda"), content.index(b"\xff\xd9")
    many = refused(content[:end] + content[last:end] * 200 + content[end:])
    assert "scans" in many.detail


def test_a_damaged_exif_block_does_not_cost_the_image() -> None:
    content = encoded(colour(), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\x01\x12garbage")
    assert picture(content, EMBED).pixels.shape == (40, 60, 3)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_the_first_frame_of_an_animation_counts(kind: str) -> None:
    frames = [Image.new("RGB", (30, 30), shade) for shade in ("red", "blue", "lime")]
    options = {"lossless": True} if kind == "WEBP" else {}
    content = encoded(frames[0], kind, save_all=True, append_images=frames[1:], **options)
    assert picture(content, WITH_GIF).pixels[15, 15].tolist() == [255, 0, 0]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", Reason.EMPTY),
        (b"Dear reader, this is no image.\n" * 9, Reason.WRONG_TYPE),
        (encoded(colour(), "GIF"), Reason.WRONG_TYPE),
        (encoded(colour(), "JPEG")[:500], Reason.UNDECODABLE),
        (encoded(colour(), "JPEG")[:10], Reason.UNDECODABLE),
        (encoded(colour())[:-40], Reason.UNDECODABLE),
        (encoded(colour(), "WEBP")[:60], Reason.UNDECODABLE),
        (png_of_claimed_size(60_000, 60_000), Reason.TOO_LARGE),
        (png_of_claimed_size(10_000, 10_000), Reason.TOO_LARGE),
        (png_of_claimed_size(1_000, 20), Reason.BAD_ASPECT),
        (b"Pf\n2 2\n-1.0\n" + bytes(16), Reason.WRONG_TYPE),
    ],
)
def test_what_cannot_be_used_has_its_reason(content: bytes, reason: Any) -> None:
    why = refused(content)
    assert why.reason is reason
    assert why.detail
    assert "0x" not in why.detail
    assert why.detail == refused(content).detail


@pytest.mark.parametrize("content", [png_of_claimed_size(0, 10), b"P6\n0 10\n255\n"])
def test_a_side_of_zero_pixels_is_refused(content: bytes) -> None:
    assert refused(content).reason in (Reason.BAD_ASPECT, Reason.UNDECODABLE)


def test_bytes_are_capped_before_reading() -> None:
    with pytest.raises(Unusable) as caught:
        check_bytes(EMBED.max_bytes + 1, EMBED)
    assert caught.value.reason is Reason.TOO_LARGE
    assert refused(encoded(colour()), Embed(max_bytes=100)).reason is Reason.TOO_LARGE


def test_mutated_files_give_pixels_or_a_reason() -> None:
    dice = random.Random(0)
    sound = [encoded(colour(), kind) for kind in ("JPEG", "PNG", "WEBP", "BMP", "PPM")]
    for _ in range(400):
        content = bytearray(dice.choice(sound))
        for _ in range(dice.choice((1, 5, 20))):
            content[dice.randrange(min(len(content), dice.choice((60, 100_000))))] = dice.randrange(256)
        try:
            pixels = picture(bytes(content[: dice.choice((len(content), dice.randrange(len(content))))]), EMBED).pixels
        except Unusable:
            continue
        assert pixels.dtype == np.uint8
        assert pixels.shape[2] == 3
