"""Every kind of error has its word, its exit code and no traceback that nobody asked for."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest

from facesieve.cli.problems import Exit, explain, recorded
from facesieve.core import logs
from facesieve.core.errors import ConfigError, ContractError, Fault, InvariantError, ModelError, Refused, StoreError

FAULT = Fault("lake.root", "is empty", "Give a path or URI.")


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    printed = io.StringIO()
    logs.set_up("text", printed)
    yield printed
    logs.set_up()


@pytest.mark.parametrize(
    ("problem", "code", "line"),
    [
        (ConfigError([FAULT]), Exit.WRONG, "error: lake.root: is empty. Give a path or URI."),
        (ContractError("table edges lacks src"), Exit.WRONG, "error: table edges lacks src"),
        (ModelError("net.h5 is a pickle"), Exit.WRONG, "error: net.h5 is a pickle"),
        (Refused("edges moved"), Exit.REFUSED, "refused: edges moved"),
        (InvariantError("one row is lost"), Exit.FAILED, "failed: one row is lost"),
        (StoreError("s3://a cannot be read"), Exit.FAILED, "failed: s3://a cannot be read"),
        (
            RuntimeError("Traceback\nfacesieve.core.errors.StoreError: s3://a cannot be read: no\n\n\tat java.lang.X"),
            Exit.FAILED,
            "failed: s3://a cannot be read: no",
        ),
        (KeyError("x"), Exit.FAILED, "failed: KeyError: 'x'"),
        (RuntimeError(""), Exit.FAILED, "failed: RuntimeError: no message"),
        (
            RuntimeError("Traceback\n ModelError: bad\nat java.lang.X"),
            Exit.FAILED,
            "failed: RuntimeError: ModelError: bad",
        ),
    ],
)
def test_each_kind_has_its_word_and_code(
    stream: io.StringIO, monkeypatch: pytest.MonkeyPatch, problem: Exception, code: Exit, line: str
) -> None:
    monkeypatch.delenv("FACESIEVE_TRACEBACK", raising=False)
    assert explain(problem) == code
    printed = stream.getvalue().splitlines()
    assert printed[0] == line
    assert [each for each in printed[1:] if "FACESIEVE_TRACEBACK=1" not in each] == []


def test_all_faults_are_printed(stream: io.StringIO) -> None:
    assert explain(ConfigError([FAULT, FAULT])) == Exit.WRONG
    assert stream.getvalue().count("error: lake.root") == 2


def test_a_traceback_is_printed_where_it_is_asked_for(stream: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACESIEVE_TRACEBACK", "1")
    assert explain(ZeroDivisionError("by zero")) == Exit.FAILED
    assert stream.getvalue().splitlines()[-1] == "ZeroDivisionError: by zero"


@pytest.mark.parametrize("words", [True, False])
def test_the_words_of_an_error_stay_only_where_names_do(words: bool) -> None:
    def failing() -> None:
        raise ConfigError([Fault("decide.overrides", f"two rows speak of {name}/1.jpg", "Keep one.")])

    name = "Annabelle"
    with pytest.raises(ConfigError) as raised:
        failing()
    text = recorded(raised.value, words=words)
    assert "in failing" in text
    assert "ConfigError" in text
    assert ("Annabelle" in text) is words
