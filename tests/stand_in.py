"""A decoder that does to its process what the image says; other images it decodes."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import numpy as np

from facesieve.config import Embed
from facesieve.stages.pictures import Picture, picture

CRASH, ABORT, HANG, DEVOUR, CHATTER, PRINT, NONSENSE, KILL = (
    f"do {what}".encode() for what in ("crash", "abort", "hang", "devour", "chatter", "print", "nonsense", "kill")
)
ONCE = b"do kill once, unless this is there: "


def decode(content: bytes, embed: Embed, full: bool) -> Picture:
    if content == CRASH:
        os.kill(os.getpid(), signal.SIGSEGV)
    if content == ABORT:
        os.abort()
    if content == KILL:
        os.kill(os.getpid(), signal.SIGKILL)
    if content.startswith(ONCE):
        marker = Path(content.removeprefix(ONCE).decode())
        if not marker.exists():
            marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return Picture(np.zeros((1, 1, 3), np.uint8), 1, 1)
    if content == HANG:
        time.sleep(600)
    if content == DEVOUR:
        bytearray(2 * embed.max_memory)
    if content == CHATTER:
        sys.stderr.write("x" * 1_000_000)
    if content == PRINT:
        os.write(1, b"\0" * 1_000)
    if content == NONSENSE:
        return Picture(np.zeros((1, 1, 3), np.uint8), 0, 2**31)
    return picture(content, embed, full)
