"""Where a profile's model is: a path, a file that came with `--files`, or a URI that is fetched once per node."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from pyspark import SparkContext, SparkFiles

from facesieve.core.errors import ConfigError, Fault
from facesieve.core.places import local_path
from facesieve.core.profiles import Profile
from facesieve.core.sections import VECTORS
from facesieve.models.files import ModelFiles, read
from facesieve.models.node_cache import cached
from facesieve.models.remote_files import read_remote


def files_of(profile: Profile) -> ModelFiles:
    """Read the files of a profile's model, whatever their digest. Raises ModelError; ConfigError if it has none."""
    if profile.form == VECTORS:
        fix = 'Name the profile of a model, or set images.format = "vectors".'
        raise ConfigError([Fault("embed.model", f"the profile {profile.name} is of vectors, without a model", fix)])
    path = local_path(profile.file)
    if path is None:
        return cached(profile.sha256, partial(read_remote, profile.file))
    return read(_sent(path) or Path(path))


def _sent(name: str) -> Path | None:
    """Return where Spark put a file of `--files`, or a folder of `--archives`; None if there is none of that name."""
    if os.path.basename(name) != name or os.path.exists(name):
        return None
    if not SparkFiles._is_running_on_worker and SparkContext._active_spark_context is None:
        return None
    path = Path(SparkFiles.get(name))
    return path if path.exists() else None
