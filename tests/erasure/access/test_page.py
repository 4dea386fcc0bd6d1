"""The page: every text is escaped, nothing runs, nothing is fetched."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

from facesieve.erasure.access.page import page

EVIL = '<script>alert("&")</script>'
FACE: dict[str, Any] = {
    **{"face_id": 5, "model": EVIL, "box": {"x": 1.0, "y": 2.0}, "confidence": 0.91234, "numbers": 128},
    **{"notes": [{"words": EVIL}], "withheld": None, "nearest_own": {"image_id": 2, "cosine": 0.5}},
    **{"landmarks": [0.5] * 10, "phash": "01", "turned_phash": None, "face_phash": "02"},
    "clusters": [{"scope": EVIL, "own_faces": 2, "other_faces": 3}],
}
IMAGE: dict[str, Any] = {
    **{"image_id": 1, "uri": EVIL, "uri_hidden": False, "names": [EVIL], "listed": True, "size": 7, "modified": None},
    **{"sha256": "ab", "idle": [{"kind": "gone", "since": "2026"}], "faces": [FACE], "rejects": [{"words": EVIL}]},
    "published": [{"name": EVIL, "label": 0}],
    "decisions": [
        {
            **{"words": EVIL, "reasons": [{"words": EVIL}], "moved_to": EVIL, "kept_in_its_place": "another image"},
            **{"confidence": None, "compared_with": None},
        }
    ],
}
RECORD: dict[str, Any] = {
    **{"made": EVIL, "asked_for": {"uri": [EVIL]}, "images": [IMAGE, IMAGE | {"uri": None, "uri_hidden": True}]},
    **{"edges": {"own": 1, "with_other_images": 4}, "not_covered": [EVIL]},
    "tables": {"listing": {"rows": 1, "versions": [{"at": EVIL, "rows": 1, "run": EVIL}]}},
    "exports": [{"form": EVIL, "run": EVIL, "rows": 0, "unfinished": True}],
    "runs": [
        {
            **{"run": EVIL, "sure": False, "started": "2026", "status": "done"},
            "acts": [{"at": EVIL, "what": EVIL, "operator": EVIL, "purpose": EVIL, "basis": ""}],
        }
    ],
}


class Reading(HTMLParser):
    """The elements, the values of their attributes, and the text."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.values: list[str] = []
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.values += [value or "" for _name, value in attrs]
        if tag not in ("meta",):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_text_stays_a_text_and_nothing_is_fetched() -> None:
    written = page(RECORD)
    reading = Reading()
    reading.feed(written)
    assert reading.open == [], "every element ends"
    assert set(reading.elements).isdisjoint({"script", "img", "link", "iframe", "object", "form", "a", "b"})
    assert not any("alert" in value or "//" in value for value in reading.values)
    assert "<script>" not in written
    assert reading.text.count(EVIL) >= 20, "each text is shown as it is"
    assert "default-src 'none'" in written
    assert "an image under a path that may name somebody else" in written


def test_what_is_not_known_is_no_row() -> None:
    written = page(RECORD)
    assert "None" not in written
    assert "changed" not in written
    assert "0.912" in written
    assert "2 of these images&#x27; faces and 3 others" in written


def test_without_runs_and_exports_that_is_said() -> None:
    written = page(RECORD | {"runs": [], "exports": []})
    assert "None is known." in written
    assert "None holds these images." in written


def test_what_is_stored_as_well_is_one_line_and_what_is_withheld_says_why() -> None:
    assert "5 points of the face; perceptual hashes of the picture, the upright face<" in page(RECORD)
    face = FACE | {"withheld": "It may be another's.", "landmarks": None, "face_phash": None, "phash": None}
    written = page(RECORD | {"images": [IMAGE | {"faces": [face]}]})
    assert "not told in full" in written
    assert "It may be another&#x27;s." in written
    assert "stored as well" not in written


def test_that_faces_are_compared_is_said_once_in_words() -> None:
    decision = IMAGE["decisions"][0] | {"compared_with": "another image"}
    written = page(RECORD | {"images": [IMAGE | {"decisions": [decision]}] * 2})
    assert written.count("the face of an image was compared with faces of other images") == 1
    assert "compared with another image" not in written
    assert "was compared with" not in page(RECORD), "nothing was compared"
