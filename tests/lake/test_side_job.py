"""A side job warns at once and again in its answer."""

from __future__ import annotations

import io
import logging
from typing import Any, cast

from facesieve.core import logs
from facesieve.core.config import Config
from facesieve.lake.side_job import SideJob


def test_a_warning_is_printed_and_stays_for_the_answer() -> None:
    nothing = cast(Any, None)
    stream = io.StringIO()
    handler = logs.set_up("text", stream)
    try:
        job = SideJob(Config(), nothing, nothing, nothing)
        job.warn("few faces")
    finally:
        logging.getLogger(logs.ROOT).removeHandler(handler)
    assert job.warnings == ["few faces"]
    assert stream.getvalue().endswith("WARNING: few faces\n")
    assert SideJob(Config(), nothing, nothing, nothing).warnings == []
