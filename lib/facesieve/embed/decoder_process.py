"""The child's side of `decoder_client`: a process that decodes one image after another, and may die of it.

    python -P -m facesieve.embed.decoder_process MODULE:FUNCTION SETTINGS

It is started by `decoder_client.Decoder`, which speaks to it over standard input and output:

    request  uint64 bytes of the image, uint8 whether all its pixels are wanted, the image
    reply    uint8 0, uint32 rows, columns, width, height, the pixels, uint32 bytes, JSON [note, ...];
             or uint8 1, uint32 bytes, JSON [reason, detail]

One byte comes first, when it is ready. It ends when its input does. Neither Spark nor TensorFlow is imported here.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import json
import os
import signal
import struct
import sys
from collections.abc import Callable
from typing import Any, BinaryIO

import numpy as np

from facesieve.core.sections import Embed
from facesieve.embed.decode import out_of_memory
from facesieve.embed.formats import optional_formats
from facesieve.embed.picture import Picture, Unusable

REQUEST = struct.Struct("<QB")
SHAPE = struct.Struct("<4I")
LENGTH = struct.Struct("<I")
READY, DECODED, UNUSABLE = b"R", b"\0", b"\1"

_GRACE = 2.0
"""Seconds beyond `embed.max_seconds` after which a decoder ends by itself: whoever should have killed it is gone."""

Decode = Callable[[bytes, Embed, bool], Picture]
"""What decodes: (image, settings, whether all pixels are wanted) -> Picture. Raises Unusable."""


def settings(embed: Embed) -> str:
    """Write the settings as JSON, for the command line."""
    return json.dumps(dataclasses.asdict(embed))


def _read(text: str) -> Embed:
    fields: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in json.loads(text).items()
    }
    return Embed(**fields)


def serve(decode: Decode, embed: Embed, requests: BinaryIO, replies: BinaryIO) -> None:
    """Answer requests until there are no more."""
    replies.write(READY)
    replies.flush()
    while header := requests.read(REQUEST.size):
        size, full = REQUEST.unpack(header)
        content = requests.read(size)
        signal.setitimer(signal.ITIMER_REAL, embed.max_seconds + _GRACE)
        reply = _reply(decode, content, embed, bool(full))
        signal.setitimer(signal.ITIMER_REAL, 0)
        for part in reply:
            replies.write(part)
        replies.flush()


def _reply(decode: Decode, content: bytes, embed: Embed, full: bool) -> list[Any]:
    try:
        picture = decode(content, embed, full)
        rows, columns = picture.pixels.shape[:2]
        return [
            DECODED,
            SHAPE.pack(rows, columns, picture.width, picture.height),
            np.ascontiguousarray(picture.pixels).data.cast("B"),
            *_json([note.value for note in picture.notes]),
        ]
    except Unusable as unusable:
        why = unusable
    except MemoryError:
        why = out_of_memory(embed)
    return [UNUSABLE, *_json([why.reason.value, why.detail])]


def _json(words: list[str]) -> list[bytes]:
    text = json.dumps(words).encode()
    return [LENGTH.pack(len(text)), text]


def _bound(memory: int) -> None:
    """Let this process have `memory` bytes beside what it has now, where the system knows such a bound; no core."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource  # noqa: PLC0415 (there is none on every system)

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        with open("/proc/self/statm", encoding="ascii") as pages:
            now = int(pages.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (now + memory, now + memory))


def _replies() -> BinaryIO:
    """Keep standard output for replies: what else is written there, by native code too, goes to standard error."""
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return replies


def _main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the job, which closes the input
    replies = _replies()
    module, _, function = sys.argv[1].partition(":")
    embed = _read(sys.argv[2])
    decode = getattr(importlib.import_module(module), function)
    optional_formats.ready(embed.formats)  # before the bound: code takes room too
    _bound(embed.max_memory)
    serve(decode, embed, sys.stdin.buffer, replies)


if __name__ == "__main__":
    _main()
