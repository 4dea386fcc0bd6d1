"""The commands: one table, from which the job files and the program `facesieve` are made."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from facesieve.assess import calibrate, evaluate
from facesieve.assess.report_page import job as report_job
from facesieve.cli import describe, main, maintain, metrics, runs, undo
from facesieve.cli.erasure_metrics import of_erasure
from facesieve.cli.main import Question, Step
from facesieve.cluster.step import cluster
from facesieve.decide.step import decide
from facesieve.embed.step import embed, load_ahead
from facesieve.erasure import erase, retain
from facesieve.erasure.access import job as access
from facesieve.erasure.answers import facts_of
from facesieve.lake.run import Run
from facesieve.link.step import link
from facesieve.publish.step import publish

Work = Callable[[str, Sequence[str] | None, str], int]
"""What a command does with its line of help, the arguments (None: those of the process) and its name: an exit code."""


@dataclass(frozen=True)
class Command:
    """A command: a line of help, what it does, and whether that needs Spark."""

    about: str
    work: Work
    needs_spark: bool = True


def _steps(*steps: Step, ahead: Callable[[Run], None] = lambda _run: None) -> Work:
    return lambda about, argv, name: main.main(steps, about, argv, name, ahead)


def _question(question: Question) -> Work:
    return lambda about, argv, name: main.ask(question, about, argv, name)


def _of_a_probe(arguments: Namespace) -> Sequence[str]:
    """A photograph is embedded by the lake's own model."""
    return ["embed"] if arguments.probe else []


COMMANDS = {
    "sieve": Command(
        "all five steps; what is in the lake is reused",
        _steps(embed, link, cluster, decide, publish, ahead=load_ahead),
    ),
    "embed": Command("find faces in images and turn them into vectors", _steps(embed, ahead=load_ahead)),
    "link": Command("join faces that are near each other by edges", _steps(link)),
    "cluster": Command("cut the graph of faces into people", _steps(cluster)),
    "decide": Command("decide what becomes of each image", _steps(decide)),
    "publish": Command("write the cleaned data set", _steps(publish)),
    "evaluate": Command(
        "how well the clusters agree with identities; changes nothing",
        _question(Question(evaluate.evaluate, evaluate.add_arguments, metrics=metrics.of_evaluation)),
    ),
    "calibrate": Command(
        "measure what a model's cosines mean, and write a profile that says so",
        _question(Question(calibrate.calibrate, calibrate.add_arguments, ("lake", "embed"))),
    ),
    "report": Command(
        "make a page of a finished run: is it sound, what to look at first, and marks for the next run",
        _question(Question(report_job.report, report_job.add_arguments, ("lake", "report"))),
    ),
    "describe": Command("what a model is, with a profile to paste; needs no Spark", describe.main, needs_spark=False),
    "undo": Command(
        "return every table to its version before a run, and CURRENT to the former export; deletes no file",
        _question(Question(undo.undo, undo.add_arguments, writes=lambda _arguments: True)),
    ),
    "maintain": Command(
        "compact the tables, and let go of versions and files that nobody needs; changes no row",
        _question(
            Question(
                maintain.maintain,
                maintain.add_arguments,
                ("lake", "maintain"),
                writes=lambda arguments: bool(arguments.apply),
                noted=maintain.noted,
            )
        ),
    ),
    "runs": Command(
        "the ledger: who did what, when, for what purpose and on what legal ground; changes nothing",
        _question(Question(runs.runs, runs.add_arguments)),
    ),
    "erase": Command(
        "erase a subject from tables, versions and exports for good, and prove it",
        _question(
            Question(
                erase.erase,
                erase.add_arguments,
                ("lake", "maintain", "erase"),
                writes=lambda arguments: bool(arguments.apply),
                noted=facts_of,
                more=_of_a_probe,
                metrics=of_erasure,
            )
        ),
    ),
    "subject": Command(
        "what is held about a person, as JSON and as a page; changes nothing",
        _question(Question(access.subject, access.add_arguments, ("lake", "erase"), more=_of_a_probe)),
    ),
    "retain": Command(
        "erase what nobody needs any more when its days are over, such as images gone from the source",
        _question(
            Question(
                retain.retain,
                retain.add_arguments,
                ("lake", "maintain", "erase", "retention"),
                metrics=metrics.of_retention,
                writes=lambda arguments: bool(arguments.apply),
                noted=retain.noted,
            )
        ),
    ),
}


def run(name: str, argv: Sequence[str] | None = None) -> int:
    """Run a command and return the exit code. Without `argv` the arguments are the process's, and so is its name."""
    command = COMMANDS[name]
    return command.work(command.about, argv, "" if argv is None else f"facesieve {name}")
