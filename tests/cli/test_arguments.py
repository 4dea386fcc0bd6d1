"""The shared arguments: what is there without any, and what repeats."""

from __future__ import annotations

from pathlib import Path

import pytest

from facesieve.cli.arguments import add_configuration, add_run, metrics_place, parser_of


def test_the_reference_configuration_is_there_without_any_argument() -> None:
    parser = parser_of("facesieve sieve", "about")
    add_configuration(parser)
    add_run(parser)
    arguments = parser.parse_args([])
    assert Path(arguments.config).read_text(encoding="utf-8").startswith("# Every parameter of the job")
    assert (Path(arguments.config).parent / "models" / "facenet.toml").is_file()
    assert (arguments.overlay, arguments.set, arguments.log_format, arguments.json) == ([], [], "text", False)
    assert (arguments.run, arguments.full) == ("", False)


def test_overlays_and_keys_repeat_in_their_order() -> None:
    parser = parser_of("", "about")
    add_configuration(parser)
    arguments = parser.parse_args(["--set", "a.b=1", "--overlay", "x", "--overlay", "y", "--set", "a.b=2"])
    assert (arguments.overlay, arguments.set) == (["x", "y"], ["a.b=1", "a.b=2"])


def test_another_log_format_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parser_of("", "about").parse_args(["--log-format", "xml"])
    assert "invalid choice: 'xml'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("argv", "place"),
    [
        (["--lake", "x", "--metrics", "a.prom", "--nonsense"], "a.prom"),
        (["--nonsense", "--metrics=a.prom", "rest"], "a.prom"),
        (["--metrics", "a.prom", "--metrics", "b.prom"], "b.prom"),
        (["--metrics"], ""),
        (["--metrics", "--nonsense"], ""),
        (["--nonsense"], ""),
    ],
)
def test_the_place_of_metrics_is_read_among_arguments_that_are_refused(argv: list[str], place: str) -> None:
    assert metrics_place(argv) == place
