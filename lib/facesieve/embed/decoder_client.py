"""Decoding in a process of its own: what hangs, crashes or devours memory there costs one image, not the task.

Decoders are native code that reads whatever somebody put into a lake. Each Spark worker has one such child; it is
started with the first image, used by all tasks of the worker, and replaced when it had to be killed.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from functools import lru_cache

import numpy as np

from facesieve.core.reasons import Reason
from facesieve.core.sections import Embed
from facesieve.embed import decoder_process as child
from facesieve.embed.picture import Picture, Unusable

PILLOW = "facesieve.embed.decode:picture"
"""The decoder of the job, as MODULE:FUNCTION."""

_START_SECONDS = 120.0
_GRACE = 2.0  # seconds until a child that has closed its end is dead, which tells of what
_CHUNK = 1 << 20


class _Gone(Exception):
    """The child has ended in the middle of a request."""


class _Killed(Exception):
    """Somebody, or the system for want of memory, has killed the child in the middle of a request."""


class _Late(Exception):
    """The child has not answered in time."""


class Decoder:
    """A child process that decodes images, one at a time; several threads may ask it."""

    def __init__(self, embed: Embed, function: str = PILLOW) -> None:
        self._embed = embed
        self._function = function
        self._child: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def decode(self, content: bytes, full: bool = False) -> Picture:
        """Decode the bytes of an image file; `full`: all its pixels, however large it is. Raises Unusable."""
        with self._lock:
            try:
                return self._decoded(content, full)
            except _Killed:  # as when memory is short, perhaps not for this image's sake: it is tried once more
                pass
            try:
                return self._decoded(content, full)
            except _Killed:
                raise Unusable(Reason.UNDECODABLE, "the decoder was killed twice (SIGKILL)") from None

    def _decoded(self, content: bytes, full: bool) -> Picture:
        if self._child is not None and self._child.poll() is not None:
            self._end()  # it has died meanwhile, of nothing that this image did
        try:
            running = self._child or self._started()
            until = time.monotonic() + self._embed.max_seconds
            return _asked(running, content, full, until, self._embed.max_pixels)
        except Unusable:
            raise
        except _Late:
            self._end()
            detail = f"decoding took longer than embed.max_seconds ({self._embed.max_seconds:g})"
            raise Unusable(Reason.UNDECODABLE, detail) from None
        except _Gone:
            code = self._end(_GRACE)
            if code == -signal.SIGKILL:
                raise _Killed from None
            raise Unusable(Reason.UNDECODABLE, f"the decoder crashed ({_ending(code)})") from None
        except BaseException:
            self._end()  # its answer is still to come, and would be taken for the next image's
            raise

    def close(self) -> None:
        """End the child, if there is one."""
        with self._lock:
            self._end()

    def __del__(self) -> None:
        self._end()  # else `subprocess` would keep a running child, and the pipes that hold it, for ever

    def _started(self) -> subprocess.Popen[bytes]:
        """Start a child. Never by forking this process, which may hold TensorFlow's threads and locks."""
        command = [sys.executable, "-P", "-m", child.__name__, self._function, child.settings(self._embed)]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        started = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            bufsize=0,
        )
        self._child = started
        if started.stdin is not None:
            os.set_blocking(started.stdin.fileno(), False)
        try:
            _read(started, len(child.READY), time.monotonic() + _START_SECONDS)
        except (_Gone, _Late):
            raise RuntimeError(f"the decoder {self._function} does not start ({_ending(self._end(_GRACE))})") from None
        return started

    def _end(self, grace: float = 0.0) -> int:
        """Let the child go, after `grace` seconds by force, and return its exit code (0 if it was killed here)."""
        ended, self._child = self._child, None
        if ended is None:
            return 0
        try:
            code = ended.wait(timeout=grace)
        except subprocess.TimeoutExpired:
            ended.kill()
            ended.wait()
            code = 0
        for pipe in (ended.stdin, ended.stdout):
            if pipe is not None:
                pipe.close()
        return code


@lru_cache(maxsize=1)
def decoder(embed: Embed, function: str = PILLOW) -> Decoder:
    """Return this process's decoder for these settings.

    Its child ends when this process takes other settings, and with its input when this process ends, however that is.
    """
    return Decoder(embed, function)


atexit.register(decoder.cache_clear)  # before Python takes its modules apart: ending a child needs them


def _asked(running: subprocess.Popen[bytes], content: bytes, full: bool, until: float, most: int) -> Picture:
    """Have an image decoded, until a time, to `most` pixels. A child that answers with nonsense counts as crashed."""
    _write(running, child.REQUEST.pack(len(content), full), until)
    _write(running, content, until)
    if _read(running, 1, until) == child.DECODED:
        rows, columns, width, height = child.SHAPE.unpack(_read(running, child.SHAPE.size, until))
        if not 0 < rows * columns <= min(most, width * height):
            raise _Gone
        pixels = np.frombuffer(_read(running, rows * columns * 3, until), np.uint8).reshape(rows, columns, 3)
        return Picture(pixels, width, height, tuple(_reasons(_words(running, until))))
    reason, detail = _words(running, until, 2)
    raise Unusable(_reasons([reason])[0], detail)


def _words(running: subprocess.Popen[bytes], until: float, count: int | None = None) -> list[str]:
    """Read a JSON list of words, `count` of them if that is given."""
    (length,) = child.LENGTH.unpack(_read(running, child.LENGTH.size, until))
    try:
        words = json.loads(bytes(_read(running, min(length, _CHUNK), until)))
    except ValueError:
        raise _Gone from None
    if not isinstance(words, list) or len(words) != (len(words) if count is None else count):
        raise _Gone
    return [str(word) for word in words]


def _reasons(words: list[str]) -> list[Reason]:
    try:
        return [Reason(word) for word in words]
    except ValueError:
        raise _Gone from None


def _write(running: subprocess.Popen[bytes], content: bytes, until: float) -> None:
    left, pipe = memoryview(content), _fileno(running.stdin)
    while left:
        _wait(pipe, select.POLLOUT, until)
        try:
            left = left[os.write(pipe, left[:_CHUNK]) :]
        except BlockingIOError:
            continue
        except OSError:
            raise _Gone from None


def _read(running: subprocess.Popen[bytes], size: int, until: float) -> bytearray:
    answer, pipe = bytearray(size), _fileno(running.stdout)
    left = memoryview(answer)
    while left:
        _wait(pipe, select.POLLIN, until)
        got = os.readv(pipe, [left])
        if not got:
            raise _Gone
        left = left[got:]
    return answer


def _wait(pipe: int, event: int, until: float) -> None:
    waiting = select.poll()
    waiting.register(pipe, event)
    if not waiting.poll(max(0.0, until - time.monotonic()) * 1000):
        raise _Late


def _fileno(pipe: object) -> int:
    return int(pipe.fileno())  # type: ignore[attr-defined]


def _ending(code: int) -> str:
    if code == 0:
        return "it makes no sense any more"
    try:
        return signal.Signals(-code).name if code < 0 else f"exit code {code}"
    except ValueError:
        return f"signal {-code}"
