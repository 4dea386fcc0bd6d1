"""The arguments that jobs share."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Sequence

from facesieve.cli.shipped import shipped
from facesieve.core import logs
from facesieve.core.places import argument


def parser_of(name: str, about: str) -> ArgumentParser:
    """Return a parser of what every job is asked: how it prints its result, and how it logs."""
    parser = ArgumentParser(prog=name or None, description=about)
    parser.add_argument("--json", action="store_true", help="print the result as one line of JSON")
    parser.add_argument(
        "--log-format", default="text", choices=logs.FORMATS, help="what standard error holds (default: text)"
    )
    return parser


def add_configuration(parser: ArgumentParser) -> None:
    """Declare what every job under Spark is asked: where the configuration comes from, and where metrics go."""
    parser.add_argument(
        "--config",
        type=argument,
        default=str(shipped("conf/pipeline.toml")),
        help="TOML file (default: conf/pipeline.toml)",
    )
    parser.add_argument(
        "--overlay", type=argument, action="append", default=[], metavar="FILE", help="TOML file laid over it"
    )
    parser.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE", help="one key")
    parser.add_argument(
        "--metrics", type=argument, default="", metavar="FILE", help="write how the job ended, as Prometheus text"
    )


def add_run(parser: ArgumentParser) -> None:
    """Declare what a run of steps is asked."""
    parser.add_argument("--run", default="", metavar="NAME", help="name of the run (default: time and four hex digits)")
    parser.add_argument("--full", action="store_true", help="compute anew from link on, whatever is there")


def metrics_place(argv: Sequence[str] | None) -> str:
    """Return what `--metrics` names among arguments that a job refuses; empty if it names nothing."""
    parser = ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("--metrics", nargs="?", const="", default="")
    named, _others = parser.parse_known_args(argv)
    return str(named.metrics)
