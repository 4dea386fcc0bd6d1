"""What the tables keep of paths: a warning where they tell hidden names, a refusal where they cannot be hidden."""

from __future__ import annotations

from pyspark.sql import functions as F

from facesieve.core.console import count
from facesieve.core.errors import ConfigError, Fault
from facesieve.images.protocol import SourceImages
from facesieve.lake.run import Run

_TELLING = 3
"""Letters of a name that is looked for in the paths: names of one or two stand there by chance."""


def warn_of_names(run: Run, images: SourceImages) -> None:
    """Warn of paths that hold the name that is to be hidden."""
    paths = names_in_paths(images)
    if paths:
        run.warn(f"lake.store_names: {count(paths)} paths hold the name of their person, and paths are stored")


def names_in_paths(images: SourceImages) -> int:
    """Count the images whose path holds their identity, in any case of letters."""
    telling = (F.length("identity") >= _TELLING) & F.contains(F.lower("uri"), F.lower("identity"))
    return int(images.agg(F.count_if(telling).alias("paths")).collect()[0].paths)


def refuse_archives(archives: int) -> None:
    """Refuse to hide paths where there are archives. Raises ConfigError.

    Members of an archive are read by its path, in the order of its names: hidden paths have neither.
    """
    if archives:
        why = f"is false, but {count(archives)} archives are below images.root"
        raise ConfigError([Fault("lake.store_paths", why, "Unpack the archives: only paths of files can be hidden.")])
