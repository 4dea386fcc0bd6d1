"""What every job shares: arguments, configuration, session, ledger, exit codes.

Exit codes: 0 done, 1 failed, 2 configuration or input wrong, 3 refused for safety, 130 interrupted.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import re
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from types import FrameType

from py4j.protocol import Py4JError, Py4JJavaError

from facesieve.cli import summary
from facesieve.core import config, logs, profiles, tables
from facesieve.core.console import Answer
from facesieve.core.errors import ConfigError, ContractError, FacesieveError, Fault, ModelError, Refused
from facesieve.lake import session
from facesieve.lake.catalog import Lake
from facesieve.lake.ledger import Ledger, new_name, snapshot_ids
from facesieve.lake.records import RunRecord
from facesieve.lake.run import Run

_log = logging.getLogger(__name__)

Verb = Callable[[Run], None]
AddArguments = Callable[[argparse.ArgumentParser], None]


Question = Callable[[Run, argparse.Namespace], Answer]
"""A side job. It is no run: it has no row of its own in the ledger, and (but for undo) it leaves the lake as it is."""

_DONE, _FAILED, _WRONG, _REFUSED, _INTERRUPTED = 0, 1, 2, 3, 130


def main(verbs: Sequence[Verb], about: str, argv: Sequence[str] | None = None) -> int:
    """Run the verbs in order as one run of the job and return the exit code."""

    def work(run: Run, arguments: argparse.Namespace) -> int:
        _open(run)
        return _carry_out(run, verbs, as_json=arguments.json)

    return _guarded(_arguments(about, _of_a_run, argv), work)


def ask(question: Question, about: str, add_arguments: AddArguments, argv: Sequence[str] | None = None) -> int:
    """Print the answer of a side job and return the exit code."""

    def work(run: Run, arguments: argparse.Namespace) -> int:
        answer = question(run, arguments)
        print(json.dumps(answer.record, sort_keys=True) if arguments.json else answer.text)
        return _DONE

    return _guarded(_arguments(about, add_arguments, argv), work)


def _guarded(arguments: argparse.Namespace, work: Callable[[Run, argparse.Namespace], int]) -> int:
    """Begin with the session, work, clear up; turn what goes wrong before or outside a run into an exit code."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        run = _begin(arguments)
        # PySpark's own handler of Ctrl-C talks to the JVM in the middle of a call; what py4j then logs helps nobody.
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, _interrupt)
        try:
            return work(run, arguments)
        finally:
            session.clear_scratch(run.spark)
    except KeyboardInterrupt:
        return _INTERRUPTED
    except Exception as problem:
        return _explain(problem)


def _carry_out(run: Run, verbs: Sequence[Verb], *, as_json: bool) -> int:
    try:
        for verb in verbs:
            verb(run)
            # Plans that stay persisted hold their broadcast tables; in the next stage the driver needs that memory.
            run.spark.catalog.clearCache()
        record = _close(run, "done")
    except KeyboardInterrupt:
        _log.info("interrupted; the same command goes on where this stopped")
        return _ended(run, "interrupted", _INTERRUPTED)
    except Refused as problem:
        run.restore(tables.ALL)
        return _ended(run, "refused", _explain(problem))
    except Exception as problem:
        return _ended(run, "failed", _explain(problem), traceback.format_exc())
    print(json.dumps(record.to_json(), sort_keys=True) if as_json else summary.of(record))
    return _DONE


def _arguments(about: str, add_arguments: AddArguments, argv: Sequence[str] | None) -> argparse.Namespace:
    session.separate_errors()
    logs.set_up()
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--config", required=True, help="TOML file with every key (conf/pipeline.toml)")
    parser.add_argument("--overlay", action="append", default=[], metavar="FILE", help="TOML file laid over it")
    parser.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE", help="one key")
    parser.add_argument(
        "--json", action="store_true", help="print the record, one line of JSON, instead of the summary"
    )
    add_arguments(parser)
    return parser.parse_args(argv)


def _of_a_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--run", default="", metavar="NAME", help="name of the run (default: time and four hex digits)")
    parser.add_argument("--full", action="store_true", help="compute anew from link on, whatever is there")


def _begin(arguments: argparse.Namespace) -> Run:
    """Check what was asked for and start the session; nothing is written yet."""
    settings = config.load(arguments.config, arguments.overlay, arguments.set)
    name = getattr(arguments, "run", "") or new_name(datetime.now(UTC))
    # Exports of a run are in a folder of its name, beside the file CURRENT.
    if not re.fullmatch(r"(?!(?i:CURRENT)$)[A-Za-z0-9][A-Za-z0-9._-]{0,99}", name):
        fix = "Use up to 100 letters, digits, dots, dashes and underscores, a letter or digit first, but not CURRENT."
        raise ConfigError([Fault("--run", f"{name!r} cannot name a run", fix)])
    profile = profiles.load(settings.embed.model, profiles.folder_beside(arguments.config))
    spark = session.start(settings.lake)
    lake = Lake(spark, settings.lake)
    model = profiles.model_id(profile, settings.embed)
    ledger = Ledger(spark, lake, name, settings, model)
    return Run(name, settings, profile, model, getattr(arguments, "full", False), spark, lake, ledger)


def _open(run: Run) -> None:
    standing = {table.name: run.lake.current(table) for table in tables.ALL if table is not tables.RUNS}
    run.ledger.open(snapshot_ids(standing))
    run.undone = run.ledger.undone()
    _log.info(f"run {run.name}: {run.spark.sparkContext.defaultParallelism} tasks at once")


def _close(run: Run, status: str, error: str = "") -> RunRecord:
    standing = {table.name: run.now(table) for table in tables.ALL if table is not tables.RUNS}
    return run.ledger.close(status, snapshot_ids(standing), error)


def _ended(run: Run, status: str, code: int, error: str = "") -> int:
    """Write the ledger's last word, unless Spark itself is gone; the exit code is the same either way."""
    try:
        _close(run, status, error)
    except (Py4JError, OSError, KeyboardInterrupt):
        _log.info("the ledger could not be written")
    return code


def _explain(problem: Exception) -> int:
    """Print what is wrong, as sentences, and return the exit code that goes with it."""
    if isinstance(problem, ConfigError):
        for fault in problem.faults:
            print(f"error: {fault}", file=sys.stderr)
        return _WRONG
    if isinstance(problem, (ContractError, ModelError)):
        print(f"error: {problem}", file=sys.stderr)
        return _WRONG
    if isinstance(problem, Refused):
        print(f"refused: {problem}", file=sys.stderr)
        return _REFUSED
    said = str(problem) if isinstance(problem, FacesieveError) else f"{type(problem).__name__}: {_cause(problem)}"
    print(f"failed: {said}", file=sys.stderr)
    if os.environ.get("FACESIEVE_TRACEBACK"):
        traceback.print_exception(problem)
    else:
        print("(set FACESIEVE_TRACEBACK=1 to see where; a run's row in the table runs keeps it too)", file=sys.stderr)
    return _FAILED


def _cause(problem: Exception) -> str:
    """Pick the line that says most: the last Python error of a worker, else the first line of the innermost cause."""
    text = str(problem)
    if isinstance(problem, Py4JJavaError):
        inner = problem.java_exception
        while inner.getCause() is not None:
            inner = inner.getCause()
        text = f"{text}\n{inner.toString()}" if "Traceback" in text else inner.toString()
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    told = [line for line in lines if re.match(r"(facesieve\.errors\.)?\w*(Error|Exception)\b.*:", line)]
    return (told[-1] if told else lines[0] if lines else "no message")[:500]


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
