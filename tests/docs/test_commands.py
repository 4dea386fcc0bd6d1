"""The commands of the pages: targets, files, options and keys that exist, in lines that a shell can read."""

from __future__ import annotations

import itertools
import re
import shlex
import subprocess

import pytest
from pages import PAGES, ROOT, blocks

from facesieve.cli.commands import COMMANDS
from facesieve.cli.program import split
from facesieve.core import config

SHELL = [(page, block) for page, text in PAGES.items() for block in blocks(text, "sh")]
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
OPTIONS = {
    option
    for file in (ROOT / "lib").rglob("*.py")
    for option in re.findall(r"\"(--[a-z-]+)\"", file.read_text(encoding="utf-8"))
}
NEEDED = ("lake.root=/lake", "images.root=/images")


def commands(block: str) -> list[list[str]]:
    """Return the words of each command; lines that go on are joined, comments are left out.

    >>> commands("A=1 make demo  # all\\n. x.sh && pyspark \\\\\\n --conf a=b\\n")
    [['make', 'demo'], ['.', 'x.sh'], ['pyspark', '--conf', 'a=b']]
    """
    lines = block.replace("\\\n", "").splitlines()
    whole = [shlex.split(part, comments=True) for line in lines for part in line.split(" && ")]
    return [_without_variables(words) for words in whole if _without_variables(words)]


def _without_variables(words: list[str]) -> list[str]:
    first = next((at for at, word in enumerate(words) if not re.match(r"[A-Z_]+=", word)), len(words))
    return words[first:]


@pytest.mark.parametrize(("page", "block"), SHELL)
def test_a_shell_can_read_it(page: str, block: str) -> None:
    read = subprocess.run(["bash", "-n"], input=block, text=True, capture_output=True, check=False)
    assert read.stderr == "", page


@pytest.mark.parametrize(("page", "block"), SHELL)
def test_what_it_names_is_there(page: str, block: str) -> None:
    for words in commands(block):
        if words[0] == "make":
            assert words[1] in TARGETS, page
        files = [word for word in words if re.fullmatch(r"(jobs|tests|conf|docs)/[\w./-]+", word)]
        assert [file for file in files if not (ROOT / file).exists()] == [], page


@pytest.mark.parametrize(("page", "block"), SHELL)
def test_a_job_takes_its_arguments(page: str, block: str) -> None:
    for words in commands(block):
        arguments = _arguments(words)
        unknown = [word for word in arguments if word.startswith("--") and word not in OPTIONS]
        assert unknown == [], page
        sets = [after for before, after in itertools.pairwise(arguments) if before == "--set"]
        config.load(str(ROOT / "conf" / "pipeline.toml"), sets=[*NEEDED, *sets])


def _arguments(words: list[str]) -> list[str]:
    """Return what a command gives to a job; nothing where the command is none."""
    if words[:2] == ["make", "run"]:
        return shlex.split(words[2].removeprefix("ARGS="))
    job = next((at for at, word in enumerate(words) if word.startswith("jobs/")), len(words))
    if words[0] == "facesieve":
        _, rest = split(words[1:])
        assert rest[0] in COMMANDS
        return rest[1:]
    return words[job + 1 :]
