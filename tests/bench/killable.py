"""Commands in a process that is ended by SIGKILL when its log says a text; the next command gets a fresh process.

One process, with one Spark session, carries out command after command, so that a series needs few starts of Spark. To
need fewer still, a command may be broken off by an exception that nothing catches, and its process goes on.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench_environment import ROOT

from facesieve.cli import commands as of_facesieve

_ENDED = "exit code: "
# Small lakes run many small plans once: Java's second compiler would take most of the time for nothing.
_JAVA = "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=512m"


@dataclass
class Commands:
    """Carries out commands; `log` has what they write to standard error."""

    log: Path
    _process: list[subprocess.Popen[str]] = field(default_factory=list)

    def run(self, name: str, *arguments: str) -> int:
        """Carry out a command, and return its exit code."""
        return self._send({"name": name, "arguments": arguments})

    def killed(self, text: str, late: float | None, name: str, *arguments: str) -> str:
        """Carry out a command, killed so many seconds after its log says a text. Return the last line that it wrote.

        late: None for an exception in place of SIGKILL, as the text is logged. Raises SystemExit if the command ended
        before.
        """
        code = self._send({"name": name, "arguments": arguments, "text": text, "late": late})
        if code != -signal.SIGKILL:
            raise SystemExit(f"{name} was not killed at {text!r}: exit code {code}")
        return self.log.read_text().splitlines()[-1].strip()

    def close(self) -> None:
        """End the process."""
        for process in self._process:
            process.communicate("")
        self._process.clear()

    def _send(self, command: dict[str, object]) -> int:
        process = self._here()
        assert process.stdin
        assert process.stdout
        process.stdin.write(json.dumps(command) + "\n")
        process.stdin.flush()
        for line in process.stdout:
            if line.startswith(_ENDED):
                return int(line.removeprefix(_ENDED))
        self._process.clear()
        return process.wait()

    def _here(self) -> subprocess.Popen[str]:
        if not self._process:
            self.log.parent.mkdir(parents=True, exist_ok=True)
            with self.log.open("a") as log:
                self._process.append(
                    subprocess.Popen(
                        [sys.executable, __file__],
                        cwd=ROOT,
                        env=os.environ | {"SPARK_SUBMIT_OPTS": _JAVA},
                        stdin=subprocess.PIPE,
                        stdout=subprocess.PIPE,
                        stderr=log,
                        text=True,
                        start_new_session=True,
                    )
                )
        return self._process[0]


@contextmanager
def commands(log: Path) -> Iterator[Commands]:
    """Yield what carries out commands, and end its process at the end."""
    those = Commands(log)
    try:
        yield those
    finally:
        those.close()


class _Killed(BaseException):
    """The command ends here."""


class _Trap(logging.Handler):
    """Ends this process and its JVM, or the command, when a text is logged; on a logger that jobs leave alone."""

    def __init__(self, text: str, late: float | None) -> None:
        super().__init__()
        self._text, self._late = text, late

    def emit(self, record: logging.LogRecord) -> None:
        if not record.getMessage().startswith(self._text):
            return
        if self._late:
            threading.Timer(self._late, _end).start()
            return
        print(record.getMessage(), file=sys.stderr, flush=True)  # the job's own handler comes after this one
        if self._late is None:
            raise _Killed
        _end()


def _end() -> None:
    os.killpg(0, signal.SIGKILL)


def main() -> None:
    """Carry out commands that come in as lines of JSON."""
    for line in sys.stdin:
        command = json.loads(line)
        traps = [_Trap(command["text"], command["late"])] if "text" in command else []
        logging.getLogger("facesieve.erasure").handlers[:] = traps
        try:
            code = int(of_facesieve.run(command["name"], command["arguments"]))
        except _Killed:
            code = -signal.SIGKILL
        print(f"\n{_ENDED}{code}", flush=True)


if __name__ == "__main__":
    main()
