"""Names of files as Java writes them: in the encoding of the locale, in which other letters become question marks."""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql import SparkSession

from facesieve.core.errors import Fault
from facesieve.core.places import absolute, local_path

_FIX = "Set a UTF-8 locale before the job starts (export LC_ALL=C.UTF-8); cron and some schedulers set none."


def encoding_faults(spark: SparkSession, places: Mapping[str, str]) -> list[Fault]:
    """Return a fault for each place (by key) that this session's JVM would write under another name."""
    gateway = spark.sparkContext._gateway
    encoding = "" if gateway is None else str(gateway.jvm.java.lang.System.getProperty("sun.jnu.encoding") or "")
    problem = f"Java cannot write its name: the locale's encoding is {encoding}"
    return [Fault(key, f"{place}: {problem}", _FIX) for key, place in places.items() if garbled(place, encoding)]


def garbled(place: str, encoding: str) -> bool:
    """Say whether a local place has letters that an encoding lacks, or question marks that stand for such.

    >>> garbled("/data/é", "UTF-8"), garbled("/data/é", "ANSI_X3.4-1968"), garbled("/data/??", "ANSI_X3.4-1968")
    (False, True, True)
    """
    path = local_path(absolute(place)) if place else None
    if path is None or encoding.upper().replace("-", "") in ("", "UTF8"):
        return False
    try:
        path.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return True
    return "?" in path
