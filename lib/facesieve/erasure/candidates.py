"""Candidates: faces of the lake near a probe, as they are shown to whoever confirms them.

A cosine does not prove who is shown. So it is said how many of the candidates are expected to be of other people, by
the impostor lines of the profile and of the lake itself, and how many photographs of the person are expected to stay.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from facesieve.core import profiles, tables
from facesieve.core.console import aligned, count
from facesieve.core.errors import ConfigError, Fault
from facesieve.core.frames import follow_rows
from facesieve.core.profiles import Profile
from facesieve.erasure.near_faces import near_faces
from facesieve.erasure.probe import Probe
from facesieve.erasure.probe_vectors import probe_vectors, refuse_vectors
from facesieve.erasure.selection import refuse_too_many
from facesieve.faces.blocks import FaceBlocks, ListedFaces, face_blocks, inventory, sample
from facesieve.lake.side_job import SideJob
from facesieve.link.collection import LINE_FACES, impostor_line
from facesieve.link.threshold_check import forecast

_SEED = 0


@dataclass(frozen=True)
class Candidate:
    """A face near the probe. identity: None also where names are not stored. cluster: None where the face has none."""

    image_id: int
    face_id: int
    cosine: float
    identity: str | None
    cluster_id: int | None


@dataclass(frozen=True)
class Candidates:
    """Faces within a cosine of a probe of some photographs, the nearest first, out of all faces compared.

    false_matches: expected among them, at most; genuine_below: expected share of the person's pairs of photographs
    below the cosine; None where no line or quantile tells.
    """

    faces: Sequence[Candidate]
    photographs: int
    compared: int
    cosine: float
    false_matches: float | None
    genuine_below: float | None

    @property
    def images(self) -> tuple[int, ...]:
        """Return the ids of the images with such a face, ascending."""
        return tuple(sorted({each.image_id for each in self.faces}))

    @property
    def false_share(self) -> float | None:
        """Return the expected share of false matches among the candidates."""
        if self.false_matches is None or not self.faces:
            return None
        return min(1.0, self.false_matches / len(self.faces))

    def nameless(self) -> Candidates:
        """Return the same without names: for where the person who asks may look on."""
        return replace(self, faces=tuple(replace(each, identity=None) for each in self.faces))

    def text(self) -> str:
        """Return it for people."""
        head = (
            f"{count(self.compared)} faces were compared with {count(self.photographs)} photographs: "
            f"{count(len(self.faces))} faces of {count(len(self.images))} images are within cosine {self.cosine:g}."
        )
        rows = [["image", "cosine", "identity", "cluster"], *(_row(each) for each in self.faces)]
        return "\n".join([head, *([aligned(rows)] if self.faces else []), *self._expected()])

    def record(self) -> dict[str, Any]:
        """Return it for programs."""
        rates = {"false_matches": self.false_matches, "false_share": self.false_share}
        rates["genuine_below"] = self.genuine_below
        return {"candidates": [asdict(each) for each in self.faces], "compared": self.compared, **rates}

    def _expected(self) -> Iterable[str]:
        if self.false_matches is None:
            yield "Nothing tells how many of them are other people: the profile has no impostor line. Look at all."
        elif self.false_share is not None:
            yield (
                f"Up to {self.false_matches:.2g} of them are expected to be other people, a share of "
                f"{self.false_share:.0%}. Look at the images before you confirm."
            )
        if self.genuine_below is not None:
            yield (
                f"Of the pairs of photographs of one person {self.genuine_below:.0%} are expected below that cosine: "
                "other images of the person may stay. The clusters of the candidates are a way to them."
            )


def candidates(job: SideJob, probe: Probe, configuration: str) -> Candidates:
    """Compare a probe with all faces of the current embeddings.

    configuration: the file beside which the model profiles are. Raises ConfigError for a model by which the lake has no
    face, and for a photograph that cannot be a probe; Refused if more than `erase.max_images` images are near.
    """
    profile = profiles.load(job.config.embed.model, profiles.folder_beside(configuration))
    refuse_vectors(job.config, profile)
    embedded = _of_model(job, profile)
    vectors = probe_vectors(job.spark, probe, job.config, profile)
    names = _current(job, tables.LISTING).select("image_id", "identity")
    named = embedded.join(names, "image_id", how="left").select("face_id", "identity", "vector")
    blocks = FaceBlocks(face_blocks(ListedFaces(named)).persist())
    compared = inventory(blocks, profile.dimension)
    follow_rows(job.spark, compared)
    near = near_faces(blocks, vectors, probe.cosine).join(embedded.select("face_id", "image_id"), "face_id").persist()
    refuse_too_many(near.select("image_id").distinct().count(), job.config.erase.max_images)
    faces = _described(job, near.groupBy("image_id", "face_id").agg(F.max("cosine").alias("cosine")))
    # The profile's line and that of the lake judge as they do in link, but for the floor for small collections.
    settings = replace(job.config.link, threshold_global=0.0, min_n=1)
    expected = forecast(
        probe.cosine, settings, profile, compared, impostor_line(sample(blocks, LINE_FACES, _SEED, compared))
    )
    blocks.unpersist()
    near.unpersist()
    each, photographs = expected.false_matches, len(vectors)
    most = None if each is None else photographs * each
    return Candidates(faces, photographs, compared, probe.cosine, most, expected.genuine_below)


def _current(job: SideJob, table: tables.Table) -> DataFrame:
    at = job.lake.current(table)
    return job.spark.createDataFrame([], table.columns) if at is None else job.lake.read(table, at)


def _of_model(job: SideJob, profile: Profile) -> DataFrame:
    """Read the faces whose vectors can be compared with the probe's; say how many cannot."""
    model = profiles.model_id(profile, job.config.embed)
    models = {row.model: row["count"] for row in _current(job, tables.EMBEDDINGS).groupBy("model").count().collect()}
    if models and model not in models:
        fix = "Give the embed.model and the other keys of embed that the lake was made with."
        raise ConfigError([Fault("embed.model", f"no face of the lake is of {model}", fix)])
    others = sum(models.values()) - models.get(model, 0)
    if others:
        job.warn(f"probe: {count(others)} faces of other models cannot be compared with the probe")
    return _current(job, tables.EMBEDDINGS).where(F.col("model") == model).select("face_id", "image_id", "vector")


def _described(job: SideJob, near: DataFrame) -> tuple[Candidate, ...]:
    rows = near.orderBy(F.desc("cosine"), "face_id").collect()
    of_image = F.col("image_id").isin(*{row.image_id for row in rows})
    of_face = F.col("face_id").isin(*{row.face_id for row in rows})
    names = dict[int, str | None]()
    if job.config.lake.store_names:
        listed = _current(job, tables.LISTING).where(of_image).select("image_id", "identity")
        names = {row.image_id: row.identity for row in listed.collect()}
    clustered = _current(job, tables.CLUSTERS).where(of_face).select("scope", "face_id", "cluster_id").collect()
    # A cluster of the whole collection goes before one of a folder.
    clusters = {row.face_id: row.cluster_id for row in sorted(clustered, key=lambda row: row.scope != "identity")}
    return tuple(
        Candidate(row.image_id, row.face_id, row.cosine, names.get(row.image_id), clusters.get(row.face_id))
        for row in rows
    )


def _row(each: Candidate) -> list[str]:
    cluster = "-" if each.cluster_id is None else str(each.cluster_id)
    return [str(each.image_id), f"{each.cosine:.4f}", each.identity or "-", cluster]
