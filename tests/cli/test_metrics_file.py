"""The file of --metrics: whole at any moment, written however a job ends, refused before the work begins."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from facesieve.cli import metrics
from facesieve.cli.exposition import Metric, gauge
from facesieve.cli.metrics_file import MetricsFile
from facesieve.cli.problems import Exit
from facesieve.core import logs
from facesieve.core.errors import InvariantError


@pytest.fixture(autouse=True)
def logging_as_a_job_does() -> Iterator[None]:
    logs.set_up()
    yield
    logging.getLogger(logs.ROOT).handlers.clear()


def read(path: Path) -> dict[str, float]:
    """Samples of the command `sieve` without further labels."""
    families = text_string_to_metric_families(path.read_text(encoding="utf-8"))
    samples = [sample for family in families for sample in family.samples]
    return {sample.name: sample.value for sample in samples if sample.labels == {"command": "sieve"}}


def write(path: Path, code: int) -> dict[str, float]:
    MetricsFile(str(path), "sieve").write(code)
    return read(path)


def test_the_last_success_outlives_every_kind_of_failure(tmp_path: Path) -> None:
    path = tmp_path / "a.prom"
    assert write(path, Exit.FAILED)[metrics.LAST_SUCCESS] == 0
    done = write(path, Exit.DONE)
    assert done[metrics.LAST_SUCCESS] == done["facesieve_run_end_timestamp_seconds"] > 1.6e9
    for code in (Exit.FAILED, Exit.WRONG, Exit.REFUSED, Exit.INTERRUPTED):
        ended = write(path, code)
        assert ended["facesieve_exit_code"] == code
        assert ended[metrics.LAST_SUCCESS] == done[metrics.LAST_SUCCESS]
        assert ended["facesieve_run_end_timestamp_seconds"] > done["facesieve_run_end_timestamp_seconds"]


def test_the_success_of_another_command_is_not_taken(tmp_path: Path) -> None:
    MetricsFile(str(tmp_path / "a"), "evaluate").write(Exit.DONE)
    assert write(tmp_path / "a", Exit.FAILED)[metrics.LAST_SUCCESS] == 0


@pytest.mark.parametrize(
    "former", [b"", b"\xff\xfe\0", b"facesieve_last_success_timestamp_seconds{command=", b"# HELP\n"]
)
def test_a_former_file_that_cannot_be_read_is_replaced(tmp_path: Path, former: bytes) -> None:
    (tmp_path / "a").write_bytes(former)
    assert write(tmp_path / "a", Exit.REFUSED)["facesieve_exit_code"] == 3


def test_everybody_may_read_it_and_nothing_else_is_left(tmp_path: Path) -> None:
    """Files of `tempfile` are for their owner alone: a collector of another user would see nothing."""
    write(tmp_path / "a.prom", Exit.DONE)
    before = os.umask(0)
    os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.prom").stat().st_mode) == 0o666 & ~before
    assert os.listdir(tmp_path) == ["a.prom"]


def test_a_reader_meets_a_whole_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until the rename the former file is there, and the unfinished one is not named as collectors look for."""
    path = tmp_path / "a.prom"
    former = write(path, Exit.DONE)
    seen: list[tuple[dict[str, float], list[str]]] = []

    def broken(unfinished: Path, target: Path) -> None:
        seen.append((read(path), [each.name for each in tmp_path.glob("*.prom")]))
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", broken)
    assert write(path, Exit.FAILED) == former
    assert seen == [(former, ["a.prom"])]
    assert os.listdir(tmp_path) == ["a.prom"]


def test_a_file_that_cannot_be_written_at_the_end_is_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "folder").mkdir()
    file = MetricsFile(str(tmp_path / "folder" / "a"), "sieve")
    (tmp_path / "folder").rmdir()
    logs.set_up()
    file.write(Exit.DONE)
    assert "WARNING: --metrics: " in capsys.readouterr().err


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "a.prom").symlink_to(tmp_path / "real" / "b.prom")
    write(tmp_path / "a.prom", Exit.DONE)
    assert (tmp_path / "a.prom").is_symlink()
    assert read(tmp_path / "real" / "b.prom")["facesieve_exit_code"] == 0


def test_a_uri_of_this_machine_is_a_path(tmp_path: Path) -> None:
    MetricsFile(f"file://{tmp_path}/a%20b", "sieve").write(Exit.DONE)
    assert os.listdir(tmp_path) == ["a b"]


@pytest.mark.parametrize(
    ("place", "part"),
    [
        ("s3a://bucket/a.prom", "is no file of this machine"),
        (".", "is no regular file"),
        ("/dev/null", "is no regular file"),
        ("absent/", "is no regular file"),
        ("absent/a.prom", "does not exist"),
        ("n" * 300, "cannot be a file (File name too long)"),
        ("a\0.prom", "cannot be a file (embedded null byte)"),
        ("/proc/a.prom", "cannot be written"),
    ],
)
def test_a_place_for_no_file_is_a_fault_and_nothing_is_written(place: str, part: str, tmp_path: Path) -> None:
    file = MetricsFile(place, "sieve")
    assert file.fault is not None
    assert part in str(file.fault)
    assert str(file.fault).startswith("--metrics: ")
    file.write(Exit.WRONG)


def test_a_folder_that_may_not_be_searched_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As for a user who is not root: tests may run as root."""

    def denied(_path: Path) -> bool:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "is_dir", denied)
    file = MetricsFile(str(tmp_path / "a.prom"), "sieve")
    assert "cannot be a file (Permission denied)" in str(file.fault)


def test_the_longest_name_can_be_written(tmp_path: Path) -> None:
    assert write(tmp_path / ("n" * 255), Exit.DONE)["facesieve_exit_code"] == 0


def test_how_the_job_ended_is_told_without_figures_that_fail(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A record of another version may hold what this one cannot count."""

    def failing() -> list[Metric]:
        raise TypeError("unsupported operand")

    logs.set_up()
    MetricsFile(str(tmp_path / "a"), "sieve", failing).write(Exit.REFUSED)
    assert read(tmp_path / "a")["facesieve_exit_code"] == 3
    assert "the figures are not (unsupported operand)" in capsys.readouterr().err


def test_without_the_argument_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = MetricsFile("", "sieve")
    file.write(Exit.DONE)
    assert file.fault is None
    assert os.listdir(tmp_path) == []


def test_what_the_job_says_stands_beside_how_it_ended(tmp_path: Path) -> None:
    file = MetricsFile(str(tmp_path / "a"), "sieve")
    file.figures = lambda: [gauge("facesieve_faces", "Faces.", 12)]
    file.write(Exit.DONE)
    assert read(tmp_path / "a").items() >= {("facesieve_faces", 12), ("facesieve_exit_code", 0)}


def test_a_job_whose_proof_fails_says_how_far_it_came(tmp_path: Path) -> None:
    def of(record: Mapping[str, Any]) -> list[Metric]:
        return [gauge("facesieve_faces", "Faces.", record["faces"])]

    file = MetricsFile(str(tmp_path / "a"), "sieve")
    with pytest.raises(InvariantError, match="two are left"), file.of_failure(of):
        raise InvariantError("two are left", {"faces": 7})
    file.write(Exit.FAILED)
    assert read(tmp_path / "a").items() >= {("facesieve_faces", 7), ("facesieve_exit_code", 1)}
    with pytest.raises(InvariantError), file.of_failure(of):
        raise InvariantError("nothing is known of it")
    file.write(Exit.FAILED)
    assert "facesieve_faces" not in read(tmp_path / "a")
