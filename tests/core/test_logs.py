"""Both handlers: a line for people, an object for machines; and nothing that silences the whole process."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from facesieve.core import logs

LOG = logging.getLogger("facesieve.somewhere")
PACKAGE = Path(logs.__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Other tests expect the handler on their own standard error."""
    yield
    logs.set_up()


def test_people_read_the_time_and_a_level_from_warning_on() -> None:
    stream = io.StringIO()
    logs.set_up("text", stream)
    LOG.debug("unseen")
    LOG.info("link: 3 rows in")
    LOG.warning("few faces")
    LOG.error("error: lake.root: is empty.")
    info, warning, error = stream.getvalue().splitlines()
    assert info[:2].isdigit()
    assert info[8:] == "  link: 3 rows in"
    assert warning[8:] == "  WARNING: few faces"
    assert error == "error: lake.root: is empty."


def test_machines_read_one_object_a_line_with_run_and_step() -> None:
    stream = io.StringIO()
    logs.set_up("json", stream)
    LOG.info("before")
    logs.PLACE.run, logs.PLACE.step = "r1", "link"
    LOG.warning("two\nlines")
    first, second = map(json.loads, stream.getvalue().splitlines())
    assert isinstance(first.pop("ts"), float)
    assert first == {"level": "INFO", "logger": LOG.name, "msg": "before", "run": None, "step": None}
    assert (second["level"], second["msg"], second["run"], second["step"]) == ("WARNING", "two\nlines", "r1", "link")


@pytest.mark.parametrize("form", logs.FORMATS)
def test_a_traceback_stays_with_its_record(form: str) -> None:
    stream = io.StringIO()
    logs.set_up(form, stream)
    LOG.error("failed: it", exc_info=ZeroDivisionError("by zero"))
    text = stream.getvalue() if form == "text" else json.loads(stream.getvalue())["msg"]
    assert text.startswith("failed: it\n")
    assert "ZeroDivisionError: by zero" in text


def test_setting_up_again_replaces_the_handler_and_forgets_the_place() -> None:
    first, second = io.StringIO(), io.StringIO()
    logs.set_up("text", first)
    logs.PLACE.run = "r1"
    logs.set_up("json", second)
    LOG.info("once")
    assert (first.getvalue(), len(second.getvalue().splitlines())) == ("", 1)
    assert json.loads(second.getvalue())["run"] is None


def test_others_that_log_an_interrupted_call_are_not_heard(capsys: pytest.CaptureFixture[str]) -> None:
    """py4j calls `logging.exception`, which is the root logger."""
    logs.set_up("json")
    logging.exception("while sending command")
    logging.getLogger("py4j.java_gateway").error("while receiving")
    assert capsys.readouterr().err == ""


def test_nothing_silences_the_whole_process() -> None:
    sources = {file: file.read_text(encoding="utf-8") for file in PACKAGE.rglob("*.py")}
    assert [file.name for file, source in sources.items() if "logging.disable" in source] == []
