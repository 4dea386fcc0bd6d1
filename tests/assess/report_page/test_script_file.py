"""Data files: what a browser must not take for markup, what JSON cannot hold, and names of files."""

from __future__ import annotations

import json

from facesieve.assess.report_page.contract import Image
from facesieve.assess.report_page.script_file import as_json, paged_name, script, sheet_name


def test_nothing_in_a_data_file_ends_the_script() -> None:
    bad = {"a": "</script><!--", "b": "x\u2028y\u2029z", "c": "&amp;"}
    text = script("queue-0001", bad)
    assert not {"<", ">", "&", "\u2028", "\u2029"} & set(text)
    assert json.loads(text.split(", ", 1)[1].removesuffix(");\n")) == bad


def test_records_become_objects_and_numbers_that_are_none_become_null() -> None:
    assert as_json(Image("-5")) == {"image_id": "-5", "face_id": None, "name": None, "picture": None}
    assert as_json({"a": (float("nan"), 0.123456, 7)}) == {"a": [None, 0.1235, 7]}


def test_names_of_pages() -> None:
    assert [paged_name("groups", 12), sheet_name("c5", 1), sheet_name("c5", 3)] == [
        "groups-0012",
        "group-c5",
        "group-c5-0003",
    ]
