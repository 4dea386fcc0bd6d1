"""What kind of file some bytes are."""

from __future__ import annotations

import hostile
import pytest
from PIL import Image

from facesieve.core.reasons import Reason
from facesieve.core.sections import Embed
from facesieve.embed.decode import picture
from facesieve.embed.file_kinds import bare, kind_of, unidentified
from facesieve.embed.picture import Unusable

SCENE = hostile.scene(64, 48)
EVERY = ("JPEG", "PNG", "WEBP", "BMP", "PPM", "GIF", "TIFF", "AVIF", "JPEG2000")


@pytest.mark.parametrize("form", EVERY)
def test_every_format_is_known_decoded_if_asked_for_and_else_named(form: str) -> None:
    content = hostile.encoded(SCENE.quantize(64) if form == "GIF" else SCENE, form)
    assert kind_of(content) == form
    assert picture(content, Embed(formats=(form,))).width == 64
    with pytest.raises(Unusable, match=f"{form} is not in embed.formats"):
        picture(content, Embed(formats=("PNG",) if form != "PNG" else ("BMP",)))


def test_the_codestream_of_jpeg_2000_alone_is_known() -> None:
    assert kind_of(hostile.encoded(SCENE, "JPEG2000", no_jp2=True)) == "JPEG2000"


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom", "CR3"),
        (b"\0\0\0\x18ftypisom\0\0\2\0isomiso2", "a video"),
        (b"8BPS\0\1", "a PSD file"),
        (b"%PDF-1.7", "a PDF file"),
        (b"<?xml version='1.0'?>\n<svg xmlns=''/>", "SVG"),
    ],
)
def test_what_is_not_decoded_is_named_with_what_to_do(content: bytes, name: str) -> None:
    why = unidentified(content + bytes(40), Embed().formats)
    assert why.reason is Reason.WRONG_TYPE
    assert why.detail.startswith(name) or name in why.detail
    assert "convert it to JPEG or PNG" in why.detail


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "HEIC"),
        (b"\xff\x0a\xfa\x7f", "JXL"),
        (b"\0\0\0\x0cJXL \r\n\x87\n\0\0\0\x14ftypjxl ", "JXL"),
    ],
)
def test_what_an_optional_package_decodes_is_named_as_the_key_names_it(content: bytes, name: str) -> None:
    why = unidentified(content + bytes(40), Embed().formats)
    assert (why.reason, why.detail) == (Reason.WRONG_TYPE, f"{name} is not in embed.formats")
    with pytest.raises(Unusable, match=f"{name} is not in embed.formats"):
        picture(content + bytes(40), Embed())


def test_an_avif_of_general_brand_is_no_heic() -> None:
    assert kind_of(b"\0\0\0\x20ftypmif1\0\0\0\0mif1avifmiaf") == "AVIF"


def test_a_known_beginning_with_nothing_behind_is_a_damaged_header() -> None:
    why = unidentified(b"\x89PNG\r\n", ("PNG",))
    assert (why.reason, why.detail) == (Reason.UNDECODABLE, "PNG: the header is damaged")
    assert unidentified(b"no image", ("PNG",)).detail == "no image format known here"


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("blanks", [b"\r\n", b"\n", b"\xef\xbb\xbf", b" \t\n\n"])
def test_blanks_before_an_image_are_left_out_with_a_note(form: str, blanks: bytes) -> None:
    content = hostile.encoded(SCENE, form)
    assert bare(content) is content
    assert bare(blanks + content) == content
    assert picture(blanks + content, Embed()).notes == (Reason.REPAIRED,)


def test_blanks_before_anything_else_stay() -> None:
    for content in (b"\n\n text", b"\n" * 300 + b"\x89PNG", b"", b"\n"):
        assert bare(content) is content


def test_twelve_bits_are_named() -> None:
    content = bytearray(hostile.encoded(SCENE, "JPEG"))
    content[content.index(b"\xff\xc0") + 4] = 12
    with pytest.raises(Unusable, match="12 bits a sample") as caught:
        picture(bytes(content), Embed())
    assert caught.value.reason is Reason.WRONG_TYPE


@pytest.mark.parametrize("form", ["AVIF", "JPEG2000"])
def test_optional_formats_are_decoded_behind_the_same_limits(form: str) -> None:
    embed = Embed(formats=(form,), max_pixels=64 * 48 - 1)
    content = hostile.encoded(SCENE, form)
    with pytest.raises(Unusable, match=r"64 x 48 pixels, embed\.max_pixels is 3071"):
        picture(content, embed)
    for share in (0.3, 0.6, 0.9):
        with pytest.raises(Unusable) as caught:
            picture(content[: int(len(content) * share)], Embed(formats=(form,)))
        assert caught.value.reason is Reason.UNDECODABLE


def test_an_optional_format_keeps_its_turn() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert picture(hostile.encoded(SCENE, "AVIF", exif=exif), Embed(formats=("AVIF",))).width == 48
