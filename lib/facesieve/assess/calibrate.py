"""calibrate: what a model's cosines mean, measured on labelled folders in the lake. Writes a profile and a picture."""

from __future__ import annotations

import logging
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from facesieve.assess.figures import Calibration, draw
from facesieve.assess.finished_run import add_run, finished_run
from facesieve.assess.kernels.calibration import across, cosine_at, false_match, impostor_share, unmixed, within
from facesieve.assess.kernels.few_people import FEWEST, UncertainLine, line_of_few
from facesieve.assess.profile_writer import calibrated, profile_text, refuse_unwritable
from facesieve.assess.report import of_calibration
from facesieve.assess.samples import NamedFaces, named_faces, sample_by_identity
from facesieve.core import profiles, tables
from facesieve.core.console import Answer, count
from facesieve.core.errors import ConfigError, Fault
from facesieve.core.places import argument
from facesieve.core.profiles import Profile
from facesieve.core.sections import VECTORS
from facesieve.core.tables import Embeddings, Listing
from facesieve.faces.blocks import FaceBlocks, Faces, ListedFaces, face_blocks, inventory, sample
from facesieve.faces.vectors import Indices
from facesieve.lake.side_job import SideJob
from facesieve.link.kernels.impostor_line import FEWEST_FACES, FEWEST_PEOPLE, Line, estimate

_log = logging.getLogger(__name__)

IMPOSTORS, IMPOSTORS_EACH = 5_000, 10
"""Faces whose pairs are impostors', and the most of them of one identity.

Without that bound the line depends on who happens to have most images: between halves of LFW's people the cosine for 3
impostors then differs by 0.04, and F by 0.008; with it by 0.006 and 0.002.
"""

PEOPLE, PEOPLE_EACH = 4_000, 20
"""Identities for genuine pairs, and the most faces of each (190 pairs)."""

LINK_RATE, LINE_RATE = 0.01, 0.05
"""Inside a folder: share of impostor pairs above the cosine that links, and above the line where gain begins.

The structure score removes impostors from what is linked, so that F hardly depends on these rates
(`kernels.calibration` has the figures), and the line alone tells the cosines, which noise in folders hardly moves.
"""

RATES = (0.1, LINE_RATE, LINK_RATE, 1e-3, 1e-4)
"""False match rates whose cosines are reported."""

PROBABILITIES = (0.01, 0.05, 0.1, 0.2, 0.25, 0.5, 0.75, 0.9)
UNSURE, WEAK = 0.2, 0.1


class Measured(NamedTuple):
    """A calibration, what it was measured on, and what there is to say about it.

    uncertain: of few people, the interval in which the cosine for folders lies with 95 %.
    """

    calibration: Calibration
    faces: int
    identities: int
    impostor_share: float
    warnings: tuple[str, ...]
    uncertain: tuple[float, float] | None = None


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what only this job is asked."""
    parser.add_argument(
        "--out", type=argument, required=True, metavar="PROFILE.toml", help="model profile to write; must be new"
    )
    parser.add_argument("--svg", type=argument, required=True, metavar="FILE", help="picture to write; must be new")
    add_run(parser)


def calibrate(job: SideJob, arguments: Namespace) -> Answer:
    """Measure impostor and genuine scores on the faces of a finished run, and write a profile that says so."""
    refuse_unwritable(arguments.out, arguments.svg)
    where = job.config.embed.model, profiles.folder_beside(arguments.config)
    former, profile = profiles.path_of(*where), profiles.load(*where)
    model = profiles.model_id(profile, job.config.embed, vectors=job.config.images.format == VECTORS)
    source = finished_run(job.lake, arguments.run)
    embedded = source.table(tables.EMBEDDINGS).where(F.col("model") == model)
    named = named_faces(Listing(source.table(tables.LISTING)), Embeddings(embedded))
    named.persist()
    _log.info("calibrate: choosing faces")
    impostors = _collected(profile, embedded, _impostors(named))
    people = _collected(profile, embedded, sample_by_identity(named, PEOPLE, PEOPLE_EACH, 2))
    named.unpersist()
    measured = measure(impostors, people)
    for text in measured.warnings:
        job.warn(f"calibrate: {text}")
    sections = calibrated(measured.calibration, PROBABILITIES, _measured_on(measured))
    Path(arguments.svg).write_bytes(draw(measured.calibration, f"{profile.name}: {_measured_on(measured)}"))
    Path(arguments.out).write_text(profile_text(former, profile.name, sections), encoding="utf-8")
    profiles.load(arguments.out, "")
    record = _record(measured, sections) | {
        "run": source.run,
        "model": model,
        "former": _former(profile),
        "out": arguments.out,
        "svg": arguments.svg,
        "warnings": job.warnings,
    }
    return Answer(of_calibration(record), record)


def measure(impostors: Faces, people: Faces) -> Measured:
    """Calibrate from faces of any identity (impostor pairs), and of identities that have several (genuine pairs).

    Raises ConfigError where they are too few, or too much mixed up, to tell.
    """
    codes = np.unique(impostors.codes, return_inverse=True)[1].astype(np.int64)
    identities = len(np.unique(people.codes))
    line, uncertain = _line(impostors, codes, identities)
    apart, folders = across(impostors.vectors, codes), within(people.vectors, people.codes)
    try:
        genuine = unmixed(folders, apart)
    except ValueError as problem:
        raise _fault(str(problem), "Calibrate on folders that are cleaner.") from None
    chosen = {"link": round(cosine_at(LINK_RATE, line), 3), "line": round(cosine_at(LINE_RATE, line), 3)}
    if not 0 < chosen["link"] < 1:
        text = f"{LINK_RATE:.0%} of impostors lie above {chosen['link']:g}, which is not strictly between 0 and 1"
        raise _fault(text, "Use another model, or set link.threshold_identity yourself.")
    share = impostor_share(folders, apart)
    calibration = Calibration(apart, genuine, folders, line, chosen)
    interval = (round(uncertain.low, 3), round(uncertain.high, 3)) if uncertain else None
    measured = Measured(calibration, len(codes), identities, share, _warnings(calibration, share), interval)
    return measured._replace(warnings=(*_few(measured), *measured.warnings))


def _line(impostors: Faces, codes: Indices, identities: int) -> tuple[Line, UncertainLine | None]:
    """Estimate the impostor line, of few people with its uncertainty. Raises ConfigError where nothing can be told."""
    line = estimate(impostors.vectors, codes) if len(codes) else None
    if line is not None and line.how == "identities" and identities >= FEWEST_PEOPLE:
        return line, None
    few = len(codes) < FEWEST_FACES or identities < FEWEST_PEOPLE
    uncertain = line_of_few(impostors.vectors, codes, LINK_RATE) if few and identities >= FEWEST else None
    if uncertain is None:
        raise _fault(
            f"{count(len(codes))} faces (at most {IMPOSTORS_EACH} of an identity), {count(identities)} identities with"
            " two faces and more: too few, or too much mixed up, to tell impostor scores from genuine ones",
            f"Calibrate on at least {FEWEST_FACES} such faces of {FEWEST_PEOPLE} people (of {FEWEST} with an uncertain"
            " result). Or take the thresholds of a published profile: jobs/describe.py MODEL prints the one it knows.",
        )
    return uncertain.line, uncertain


def _few(measured: Measured) -> tuple[str, ...]:
    if measured.uncertain is None:
        return ()
    low, high = measured.uncertain
    return (
        f"few faces ({count(measured.faces)} of {count(measured.identities)} people): the cosine for folders is"
        f" {measured.calibration.chosen['link']:g}, with 95 % between {low:g} and {high:g};"
        f" {FEWEST_FACES} faces of {FEWEST_PEOPLE} people make it sure",
    )


def _warnings(calibration: Calibration, share: float) -> tuple[str, ...]:
    texts = []
    if share > UNSURE:
        texts.append(
            f"about {share:.0%} of the pairs inside folders are of impostors: line and thresholds hold, but the"
            " quantiles of genuine scores below 0.2 are uncertain"
        )
    lost = calibration.genuine.share_below(calibration.chosen["link"])
    if lost > WEAK:
        texts.append(f"about {lost:.0%} of the genuine pairs are below the cosine for folders: the model is weak here")
    return tuple(texts)


def _impostors(named: NamedFaces) -> DataFrame:
    bounded = sample_by_identity(named, IMPOSTORS, IMPOSTORS_EACH, 1)
    return bounded.orderBy(F.xxhash64("face_id"), "face_id").limit(IMPOSTORS)


def _collected(profile: Profile, embedded: DataFrame, chosen: DataFrame) -> Faces:
    faces = embedded.select("face_id", "vector").join(F.broadcast(chosen), "face_id", how="inner")
    rows = FaceBlocks(face_blocks(ListedFaces(faces)).persist())
    total = inventory(rows, profile.dimension)
    faces_of = sample(rows, total, 0, total)
    rows.unpersist()
    return faces_of


def _measured_on(measured: Measured) -> str:
    apart, alike = measured.calibration.line.pairs, measured.calibration.folders.pairs
    low, high = measured.uncertain or (0.0, 0.0)
    uncertain = f"; uncertain: cosine for folders with 95 % between {low:g} and {high:g}" if measured.uncertain else ""
    return (
        f"{count(apart)} pairs across identities of {count(measured.faces)} faces;"
        f" {count(alike)} pairs inside {count(measured.identities)} identities{uncertain}"
    )


def _record(measured: Measured, sections: dict[str, Any]) -> dict[str, Any]:
    calibration = measured.calibration
    rates = [
        {
            "cosine": round(cosine, 4),
            "false_match": false_match(cosine, calibration.line),
            "false_non_match": calibration.genuine.share_below(cosine),
        }
        for cosine in (cosine_at(rate, calibration.line) for rate in RATES)
    ]
    return {
        **sections,
        "rates": rates,
        "impostor_share": measured.impostor_share,
        "faces": measured.faces,
        "uncertain": measured.uncertain,
    }


def _former(profile: Profile) -> dict[str, Any]:
    parts = {name: getattr(profile, name) for name in ("impostor", "identity", "genuine")}
    return {name: vars(part) if part else None for name, part in parts.items()}


def _fault(problem: str, fix: str) -> ConfigError:
    return ConfigError([Fault("calibrate", problem, fix)])
