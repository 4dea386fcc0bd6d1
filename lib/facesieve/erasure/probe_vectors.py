"""Vectors of a probe's faces, made as the lake's own are: decoded, searched and embedded by the workers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from pyspark.sql import Row, SparkSession

from facesieve import models
from facesieve.core.config import Config
from facesieve.core.errors import ConfigError, Fault
from facesieve.core.profiles import Profile
from facesieve.core.reasons import Reason
from facesieve.core.sections import VECTORS
from facesieve.embed.embeddings import TO_EMBED, ToEmbed, outcomes
from facesieve.embed.formats import optional_formats
from facesieve.embed.model_probe import probe as load_in_workers
from facesieve.embed.worker import Plan
from facesieve.erasure.probe import Probe

_TOLD = ("image_id", "face_rank", "box", "vector", "reason", "detail")


def probe_vectors(spark: SparkSession, probe: Probe, config: Config, profile: Profile) -> npt.NDArray[np.float32]:
    """Embed one face of each photograph: -> float32 [photographs, D].

    Raises ConfigError for a photograph that shows no face, or several of which none is named; ModelError if the workers
    cannot use the model.
    """
    contents = probe.contents(config.embed.max_bytes)
    models.check(profile)
    optional_formats.check(config.embed.formats)
    load_in_workers(spark, profile, config.embed.formats)
    rows = [(number, "", "", len(content), content) for number, content in enumerate(contents, 1)]
    images = ToEmbed(spark.createDataFrame(rows, _columns()).coalesce(1))
    # All faces, so that a photograph of two people is not taken for one of the larger.
    plan = Plan(profile, replace(config.embed, faces="all"), "", None)
    faces = outcomes(images, plan).select(*_TOLD).collect()
    return _chosen(faces, len(contents), probe.face)


def refuse_vectors(config: Config, profile: Profile) -> None:
    """Raise ConfigError where vectors come without images, so that no model makes one of a photograph."""
    if VECTORS in (profile.form, config.images.format):
        fix = "Use another selector, such as --image-id."
        raise ConfigError([Fault("--probe", "the vectors of this lake came without images and model", fix)])


def _columns() -> str:
    return ", ".join(f"{name} {TO_EMBED[name].dataType.simpleString()}" for name in TO_EMBED.names)


def _chosen(faces: Sequence[Row], photographs: int, face: int | None) -> npt.NDArray[np.float32]:
    by_photograph = [[each for each in faces if each.image_id == number] for number in range(1, photographs + 1)]
    ranked = [sorted(each, key=lambda row: row.face_rank or 0) for each in by_photograph]
    faults = [fault for number, each in enumerate(ranked, 1) if (fault := _fault(number, each, face))]
    if faults:
        raise ConfigError(faults)
    return np.array([each[_index(each, face)].vector for each in ranked], np.float32)


def _index(faces: Sequence[Row], face: int | None) -> int:
    """A photograph of one face needs no choice."""
    return 0 if len(faces) == 1 or face is None else face - 1


def _fault(number: int, faces: Sequence[Row], face: int | None) -> Fault | None:
    first = faces[0]
    if first.reason == Reason.NO_FACE.value:
        fix = "Give a photograph that shows the person's face larger, or the keys of embed that the lake was made with."
        return Fault("--probe", f"file {number} shows no face ({first.detail})", fix)
    if first.reason is not None:
        what = f"{first.reason}: {first.detail}" if first.detail else first.reason
        return Fault("--probe", f"file {number} cannot be used ({what})", "Give a photograph that can be decoded.")
    if len(faces) > 1 and face is None:
        shown = "; ".join(f"{rank} is {_place(each)}" for rank, each in enumerate(faces, 1))
        fix = "Name the person's with --face N, or cut the photograph."
        return Fault("--probe", f"file {number} shows {len(faces)} faces ({shown})", fix)
    if len(faces) > 1 and face is not None and face > len(faces):
        return Fault("--face", f"is {face}, and file {number} shows {len(faces)} faces", "Count from 1, the largest.")
    return None


def _place(face: Row) -> str:
    box = face.box
    return f"{box.width:.0f} x {box.height:.0f} pixels at column {box.x:.0f}, row {box.y:.0f}"
