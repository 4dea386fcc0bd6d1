"""The program `facesieve`: a command with its arguments, for which Spark is started as `spark-submit` would.

    facesieve [SPARK OPTION]... COMMAND [ARGUMENT]...

Options before the command are spark-submit's own (`--master`, `--conf`, `--packages`, `--properties-file`, ...).
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from facesieve import __version__
from facesieve.cli import commands
from facesieve.cli.problems import Exit
from facesieve.cli.shipped import shipped

_SUBMIT = Path("bin") / "spark-submit"
_FLAGS = frozenset({"--supervise", "--verbose", "-v"})
"""spark-submit's options without a value."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return its exit code, unless spark-submit takes this process over."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(usage())
        return Exit.DONE if arguments else Exit.WRONG
    if arguments[0] == "--version":
        print(f"facesieve {__version__}")
        return Exit.DONE
    options, rest = split(arguments)
    if not rest or rest[0] not in commands.COMMANDS:
        name = f"{rest[0]} is no command" if rest else "no command is named"
        print(f"error: {name}. Use one of: {', '.join(commands.COMMANDS)}.", file=sys.stderr)
        return Exit.WRONG
    asks_for_help = {"-h", "--help"} & set(rest[1:])
    ready = not commands.COMMANDS[rest[0]].needs_spark or "PYSPARK_GATEWAY_PORT" in os.environ
    if ready or asks_for_help:
        return commands.run(rest[0], rest[1:])
    return _submit(options, rest)


def usage() -> str:
    """Return what `facesieve --help` prints: every command with its line."""
    lines = [f"  {name:<10} {command.about}" for name, command in commands.COMMANDS.items()]
    return "\n".join(
        [
            "usage: facesieve [SPARK OPTION]... COMMAND [ARGUMENT]...",
            "",
            *lines,
            "",
            "facesieve COMMAND --help lists the arguments of a command. SPARK OPTIONs are those of spark-submit.",
        ]
    )


def split(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Divide arguments into spark-submit's options, and the command with what follows it.

    >>> split(["--master", "local[2]", "--conf=a=b", "sieve", "--run", "r1"])
    (['--master', 'local[2]', '--conf=a=b'], ['sieve', '--run', 'r1'])
    """
    position = 0
    while position < len(arguments) and arguments[position].startswith("-"):
        alone = "=" in arguments[position] or arguments[position] in _FLAGS
        position += 1 if alone else 2
    return list(arguments[:position]), list(arguments[position:])


def _submit(options: Sequence[str], command: Sequence[str]) -> int:
    """Become spark-submit; return only if there is none."""
    program = spark_submit(os.environ)
    if program is not None:
        job = shipped(f"jobs/{command[0]}.py")
        os.execve(program, [str(program), *options, str(job), *command[1:]], environment(os.environ))
    print("error: there is no Spark here. Install pyspark==3.5.9, or set SPARK_HOME.", file=sys.stderr)
    return Exit.WRONG


def spark_submit(variables: Mapping[str, str]) -> Path | None:
    """Return the program that starts Spark: of SPARK_HOME, else of the package pyspark. None: there is none."""
    home = variables.get("SPARK_HOME")
    package = importlib.util.find_spec("pyspark")
    folders = [home] if home else list(package.submodule_search_locations or ()) if package else []
    return next((Path(folder) / _SUBMIT for folder in folders if (Path(folder) / _SUBMIT).is_file()), None)


def environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of spark-submit: this Python, and our settings where Spark has none of its own."""
    own = Path(variables.get("SPARK_HOME", ""), "conf", "spark-defaults.conf")
    defaults = {"PYSPARK_PYTHON": sys.executable}
    if not (variables.get("SPARK_HOME") and own.is_file()):
        defaults["SPARK_CONF_DIR"] = str(shipped("conf/spark"))
    return {**defaults, **variables}
