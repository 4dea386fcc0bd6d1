"""What every job shares: configuration, session, ledger, exit codes.

Exit codes: 0 done, 1 failed, 2 configuration or input wrong, 3 refused for safety, 130 interrupted.
"""

from __future__ import annotations

import json
import logging
import re
import signal
import threading
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

from py4j.protocol import Py4JError
from pyspark.sql import SparkSession

from facesieve.cli import summary
from facesieve.cli.arguments import add_configuration, add_run, metrics_place, parser_of
from facesieve.cli.exposition import Metric
from facesieve.cli.metrics import of_run
from facesieve.cli.metrics_file import MetricsFile
from facesieve.cli.noted import Counts, noted
from facesieve.cli.problems import Exit, explain, recorded
from facesieve.core import config, logs, profiles, tables
from facesieve.core.config import SECTIONS, Config
from facesieve.core.console import Answer
from facesieve.core.errors import ConfigError, Fault, Refused
from facesieve.core.frames import follow_rows
from facesieve.core.profiles import Profile
from facesieve.core.sections import VECTORS
from facesieve.erasure import mark
from facesieve.lake import session
from facesieve.lake.catalog import Lake
from facesieve.lake.ledger import Ledger, new_name, snapshot_ids
from facesieve.lake.records import RunRecord
from facesieve.lake.run import Run
from facesieve.lake.side_job import SideJob
from facesieve.publish.checks import prepared

_log = logging.getLogger(__name__)

Step = Callable[[Run], None]


class Question(NamedTuple):
    """A side job: what answers it, the arguments of its own, and the sections of the configuration that it uses.

    Where it only looks, it has no row of its own in the ledger, and leaves the lake as it is. A profile is needed
    where the section `embed` is. metrics: what `--metrics` tells of the answer's record, beside how the job ended.
    writes: whether it would write to the lake, for which a purpose may be required. noted: counts of the answer's
    record for a row of its own in the ledger; None where it needs no such row. more: sections that some arguments need.
    """

    answer: Callable[[SideJob, Namespace], Answer]
    add_arguments: Callable[[ArgumentParser], None]
    sections: tuple[str, ...] = ("lake",)
    metrics: Callable[[Mapping[str, Any]], Sequence[Metric]] = lambda _record: ()
    writes: Callable[[Namespace], bool] = lambda _arguments: False
    noted: Counts | None = None
    more: Callable[[Namespace], Sequence[str]] = lambda _arguments: ()


def main(
    steps: Sequence[Step],
    about: str,
    argv: Sequence[str] | None = None,
    name: str = "",
    ahead: Callable[[Run], None] = lambda _run: None,
) -> int:
    """Run the steps in order as one run of the job and return the exit code.

    ahead: what may go on beside the beginning of the run, since the first step waits for it.
    """
    parser = parser_of(name, about)
    add_configuration(parser)
    add_run(parser)

    def work(arguments: Namespace, metrics: MetricsFile) -> int:
        run = _begin(arguments, metrics)
        metrics.figures = lambda: of_run(run.ledger.stages, run.ledger.warnings)
        with _clearing_up(run.spark), run.beginning(ahead):
            # What is wrong with an audit is told before the hours of work that it is for.
            coming = [run.lake.name_of(table) for table in tables.ALL if table is not tables.CLEANED]
            prepared(run.spark, run.config.publish.checks, coming)
            return _carry_out(run, steps, as_json=arguments.json)

    return _guarded(parser, argv, work)


def ask(question: Question, about: str, argv: Sequence[str] | None = None, name: str = "") -> int:
    """Print the answer of a side job and return the exit code."""
    parser = parser_of(name, about)
    add_configuration(parser)
    question.add_arguments(parser)

    def work(arguments: Namespace, metrics: MetricsFile) -> int:
        more = (*question.more(arguments), *(["run"] if question.writes(arguments) else []))
        sections = (*question.sections, *more)
        settings = _settings(arguments, sections, metrics)
        spark, lake, ledger = _lake_of(settings, "", "")
        with _clearing_up(spark), metrics.of_failure(question.metrics):
            answering = partial(question.answer, SideJob(settings, spark, lake, ledger), arguments)
            row = question.noted if question.writes(arguments) else None
            answer = answering() if row is None else noted(ledger, _command(parser), answering, row)
        metrics.figures = lambda: question.metrics(answer.record)
        print(json.dumps(answer.record, sort_keys=True) if arguments.json else answer.text)
        return Exit.DONE

    return _guarded(parser, argv, work)


def _guarded(parser: ArgumentParser, argv: Sequence[str] | None, work: Callable[[Namespace, MetricsFile], int]) -> int:
    """Work; turn what goes wrong before or outside a run into an exit code. However it ends, the metrics tell it."""
    session.separate_errors()
    command = _command(parser)
    try:
        arguments = parser.parse_args(argv)
    except SystemExit as end:
        if end.code == Exit.WRONG:
            MetricsFile(metrics_place(argv), command).write(Exit.WRONG)
        raise
    logs.set_up(arguments.log_format)
    signal.signal(signal.SIGTERM, _interrupt)
    metrics = MetricsFile(arguments.metrics, command)
    try:
        code = work(arguments, metrics)
    except KeyboardInterrupt:
        code = Exit.INTERRUPTED
    except Exception as problem:
        code = explain(problem)
    metrics.write(code)
    return code


def _command(parser: ArgumentParser) -> str:
    return Path(parser.prog.split(" ")[-1]).stem


@contextmanager
def _clearing_up(spark: SparkSession) -> Iterator[None]:
    """Delete the session's checkpoints at the end, also after Ctrl-C."""
    # PySpark's own handler of Ctrl-C talks to the JVM in the middle of a call; what py4j then logs helps nobody.
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, _interrupt)
    try:
        yield
    finally:
        session.clear_scratch(spark)


def _carry_out(run: Run, steps: Sequence[Step], *, as_json: bool) -> Exit:
    _open(run)
    try:
        mark.refuse_beside(run.spark, run.lake)
        for step in steps:
            logs.PLACE.step = step.__name__
            step(run)
            # Plans that stay persisted hold their broadcast tables; in the next step the driver needs that memory.
            run.spark.catalog.clearCache()
        logs.PLACE.step = None
        record = _close(run, "done")
    except KeyboardInterrupt:
        _log.info("interrupted; the same command goes on where this stopped")
        return _ended(run, "interrupted", Exit.INTERRUPTED)
    except Refused as problem:
        run.restore(tables.ALL)
        return _ended(run, "refused", explain(problem))
    except Exception as problem:
        error = recorded(problem, words=run.config.lake.store_names)
        return _ended(run, "failed", explain(problem), error)
    print(json.dumps(record.to_json(), sort_keys=True) if as_json else summary.of(record))
    return Exit.DONE


def _begin(arguments: Namespace, metrics: MetricsFile) -> Run:
    """Check what was asked for and start the session; nothing is written yet."""
    settings = _settings(arguments, SECTIONS, metrics)
    profile = _profile(arguments)
    name = arguments.run or new_name(datetime.now(UTC))
    logs.PLACE.run = name
    vectors = settings.images.format == VECTORS
    model = profiles.model_id(profile, settings.embed, vectors=vectors)
    return Run(name, settings, profile, model, arguments.full, *_lake_of(settings, name, model))


def _lake_of(settings: Config, run: str, model: str) -> tuple[SparkSession, Lake, Ledger]:
    places = {"images.root": settings.images.root, "publish.export_root": settings.publish.export_root}
    spark = session.start(settings.lake, places)
    lake = Lake(spark, settings.lake)
    return spark, lake, Ledger(spark, lake, run, settings, model)


def _settings(arguments: Namespace, sections: Sequence[str], metrics: MetricsFile) -> Config:
    """Load the configuration. Raises ConfigError with its faults, the model profile's and the arguments' at once."""
    faults: list[Fault] = []
    checks: list[Callable[[], object]] = [lambda: config.load(*_sources(arguments), sections)]
    if "embed" in sections and Path(arguments.config).is_file():
        checks.append(lambda: _profile(arguments))
    for check in checks:
        try:
            check()
        except ConfigError as problem:
            faults.extend(problem.faults)
    faults.extend([*_name_faults(getattr(arguments, "run", "")), *filter(None, [metrics.fault])])
    if faults:
        raise ConfigError(faults)
    return config.load(*_sources(arguments), sections)


def _sources(arguments: Namespace) -> tuple[str, list[str], list[str]]:
    return arguments.config, arguments.overlay, arguments.set


def _profile(arguments: Namespace) -> Profile:
    return profiles.load(config.model_named(*_sources(arguments)), profiles.folder_beside(arguments.config))


def _name_faults(run: str) -> list[Fault]:
    # Exports of a run are in a folder of its name, beside the file CURRENT.
    if not run or re.fullmatch(r"(?!(?i:CURRENT)$)[A-Za-z0-9][A-Za-z0-9._-]{0,99}", run):
        return []
    fix = "Use up to 100 letters, digits, dots, dashes and underscores, a letter or digit first, but not CURRENT."
    return [Fault("--run", f"{run!r} cannot name a run", fix)]


def _open(run: Run) -> None:
    follow_rows(run.spark, len(tables.ALL))  # the ledger and the like, until a step knows its rows
    current = {table.name: run.lake.current(table) for table in tables.ALL if table is not tables.RUNS}
    run.undone = run.ledger.open(snapshot_ids(current))
    _log.info(f"run {run.name}: {run.spark.sparkContext.defaultParallelism} tasks at once")


def _close(run: Run, status: str, error: str = "") -> RunRecord:
    current = {table.name: run.now(table) for table in tables.ALL if table is not tables.RUNS}
    return run.ledger.close(status, snapshot_ids(current), error)


def _ended(run: Run, status: str, code: Exit, error: str = "") -> Exit:
    """Write the ledger's last word, unless Spark itself is gone; the exit code is the same either way."""
    try:
        _close(run, status, error)
    except (Py4JError, OSError, KeyboardInterrupt):
        _log.info("the ledger could not be written")
    return code


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
