"""Places that the JVM of a session could not name."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from facesieve.lake.path_encoding import encoding_faults, garbled

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("place", "encoding", "garbles"),
    [
        ("/data/caf\u00e9", "UTF-8", False),
        ("/data/caf\u00e9", "ANSI_X3.4-1968", True),
        ("/data/caf\u00e9", "ISO-8859-1", False),
        ("/data/\u4eba", "ISO-8859-1", True),
        ("/data/caf\u00e9", "no such encoding", True),
        ("file:///data/caf%C3%A9", "ANSI_X3.4-1968", True),
        ("/data/caf??", "ANSI_X3.4-1968", True),
        ("/data/cafe", "ANSI_X3.4-1968", False),
        ("s3a://bucket/caf\u00e9", "ANSI_X3.4-1968", False),
        ("/data/what?", "UTF-8", False),
        ("", "ANSI_X3.4-1968", False),
    ],
)
def test_letters_that_an_encoding_lacks(place: str, encoding: str, garbles: bool) -> None:
    assert garbled(place, encoding) == garbles


def test_this_session_names_any_place(spark: SparkSession) -> None:
    assert encoding_faults(spark, {"lake.root": "/data/caf\u00e9"}) == []


@pytest.mark.parametrize("locale", [{}, {"LC_ALL": "C"}, {"LANG": "POSIX"}])
def test_the_environment_has_an_encoding_for_every_letter(locale: dict[str, str]) -> None:
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG"))}
    asked = ["sh", "-c", ". conf/setup/environment.sh && locale charmap"]
    done = subprocess.run(asked, cwd=ROOT, env=bare | locale, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "UTF-8"
