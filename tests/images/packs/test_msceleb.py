from __future__ import annotations

import base64
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pack_writers import CountedRanges, content_of, face_line, records_of

from facesieve.images.packs.locators import Locator
from facesieve.images.packs.msceleb import MSCeleb, cells, decoded
from facesieve.images.packs.pack_files import pack_files
from facesieve.images.packs.text_lines import lines
from facesieve.images.protocol import BadContent

JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 4
PICTURE = base64.b64encode(JPEG)
RECTANGLE = base64.b64encode(bytes(16))


def _line(*parts: bytes | str) -> bytes:
    return b"\t".join(part.encode() if isinstance(part, str) else part for part in parts)


FORMS = {
    "aligned and cropped faces": (
        _line("m.01", "95", "http://i", "http://p", "FaceId-0", RECTANGLE, PICTURE),
        "95-FaceId-0",
    ),
    "thumbnails": (_line("m.01", "Ann Li", "95", "http://i", "http://p", PICTURE), "95"),
    "development set": (_line("m.01", "Ann Li@en", "http://i", "FaceId-0", RECTANGLE, PICTURE), "FaceId-0"),
    "low shot": (_line("m.01-95", PICTURE, "m.01", "95", "http://i"), "m.01-95"),
}


@pytest.mark.parametrize("form", FORMS)
def test_the_forms_of_the_release(tmp_path: Path, form: str) -> None:
    line, name = FORMS[form]
    (tmp_path / "faces.tsv").write_bytes(line + b"\r\n\n" + line)
    records = records_of(tmp_path, MSCeleb())
    assert [record.at.uri for record in records] == [f"faces.tsv@{at}#m.01/{name}.jpg" for at in (0, len(line) + 3)]
    for record in records:
        assert (record.identity, record.size) == ("m.01", len(JPEG))
        assert content_of(tmp_path, MSCeleb(), record) == JPEG


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=6), st.integers(1, 9))
def test_pieces_have_every_line_once(images: list[bytes], pieces: int) -> None:
    text = b"".join(face_line(f"m.{number}", number, "FaceId-0", image) for number, image in enumerate(images))
    ranges, starts = CountedRanges(text), range(0, len(text), max(1, len(text) // pieces))
    rows = [each for start in starts for each in lines(ranges, start, start + starts.step, 1_000)]
    assert [decoded(cells(line, at), at) for at, line in rows] == images
    assert [MSCeleb().content(ranges, Locator("a", at)) for at, _ in rows] == images


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (_line("m.01", "95"), "has 2 cells between tabs, not 5, 6 or 7"),
        (b"\xff\xfe\x00", "has 1 cells between tabs"),
        (
            _line("m.01", "95", "i", "p", "FaceId-0", RECTANGLE, PICTURE[:-1]),
            "holds no base64 where its image should be",
        ),
        (_line("m.01", "95", "i", "p", "FaceId-0", RECTANGLE, b"https://x/y.jpg"), "holds no base64"),
    ],
)
def test_a_line_of_no_form_costs_itself_alone(tmp_path: Path, line: bytes, problem: str) -> None:
    sound = face_line("m.02", 1, "FaceId-0", JPEG)
    (tmp_path / "faces.tsv").write_bytes(sound + line + b"\n" + sound)
    records = records_of(tmp_path, MSCeleb())
    assert len(records) == 3
    assert [content_of(tmp_path, MSCeleb(), record) for record in records[::2]] == [JPEG, JPEG]
    said = content_of(tmp_path, MSCeleb(), records[1])
    assert isinstance(said, str)
    assert problem in said
    assert records[1].problem == said


def test_a_file_that_is_cut_loses_its_last_line_alone(tmp_path: Path) -> None:
    line = face_line("m.02", 1, "FaceId-0", JPEG)
    (tmp_path / "faces.tsv").write_bytes(line + line[: len(line) // 2 + 1])
    whole, cut = records_of(tmp_path, MSCeleb())
    assert content_of(tmp_path, MSCeleb(), whole) == JPEG
    assert content_of(tmp_path, MSCeleb(), cut) != JPEG


def test_a_line_that_is_too_long_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadContent, match="longer than"):
        cells(None, 5)


def test_a_table_of_something_else_is_a_fault(tmp_path: Path) -> None:
    for name, content, problem in (
        ("sound", face_line("m.02", 1, "FaceId-0", JPEG), ""),
        ("list", b"m.0107_f\tAnn@en\n", "faces.tsv: the line at byte 0 has 2 cells"),
        ("seven", _line(*"abcdefg") + b"\n", "holds no base64"),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "faces.tsv").write_bytes(content)
        listed = pack_files(str(tmp_path / name), MSCeleb(), ())
        faults = MSCeleb().faults(listed.storage, listed.files, listed.companions)
        assert problem in (faults[0].problem if faults else "")
        assert bool(faults) == bool(problem)


def test_one_line_is_read_without_the_others() -> None:
    line = face_line("m.02", 1, "FaceId-0", bytes(9_000))
    ranges = CountedRanges(line * 50)
    assert MSCeleb().content(ranges, Locator("a", 3 * len(line))) == bytes(9_000)
    assert ranges.bytes_read < 2 * len(line) + 8_192
