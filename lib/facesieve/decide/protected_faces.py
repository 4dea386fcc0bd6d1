"""Protected faces from elsewhere: of another lake, of images that are embedded for it, of another program's export."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from py4j.protocol import Py4JJavaError
from pyarrow.fs import FileType
from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from facesieve import models
from facesieve.core.console import count
from facesieve.core.errors import ConfigError, ContractError, Fault, first_line
from facesieve.core.sections import Images
from facesieve.core.tables import Listing
from facesieve.embed import embeddings as faces_of
from facesieve.embed.listing import listing, listing_key
from facesieve.embed.worker import Plan
from facesieve.images.packs.verification import FORMAT
from facesieve.images.protocol import Source
from facesieve.images.sources import source
from facesieve.images.storage import Storage
from facesieve.lake.run import Run

_KEY = "decide.protected"
_SHOWN = 5


@dataclass(frozen=True)
class Elsewhere:
    """Protected faces of one place: a digest of them, and how to get their vectors (column vector array<float>)."""

    digest: str
    vectors: Callable[[Run], DataFrame]


def in_lake(run: Run, root: str) -> Elsewhere | None:
    """Find the lake at `root`, as its newest finished run left it, else as it stands; None if there is none.

    Its tables are read by their paths: an embedded catalog, whatever its namespace is called here or there by default.
    """
    spaces = dict.fromkeys((run.config.lake.namespace, "faces"))
    places = (*(f"{root.rstrip('/')}/{space}" for space in spaces), root.rstrip("/"))
    lakes = [lake for lake in places if _is_table(f"{lake}/embeddings")]
    if not lakes:
        return None
    spark, lake = run.spark, lakes[0]
    try:
        at = {name: _version(spark, lake, name) for name in ("embeddings", "listing") if _is_table(f"{lake}/{name}")}
        if _is_table(f"{lake}/runs"):
            at |= {name: snapshot for name, snapshot in _finished(spark, lake).items() if name in at}
    except (Py4JJavaError, PySparkException) as problem:
        raise _unreadable(lake, problem) from None
    return Elsewhere(repr(sorted(at.items())), lambda run: _of_lake(run, lake, at))


def in_images(run: Run, root: str, form: str) -> Elsewhere:
    """List the images at `root`, in the form of a source, to be embedded as this run embeds its own.

    Verification sets have an image once for each of its pairs: each content counts once.
    """
    settings = replace(run.config.images, root=root, format=form, identity="none", labels="")
    images = source(settings)
    try:
        images.check()
        listed = listing(images.images(run.spark), None, settings, images.fetch())
    except (ConfigError, ContractError) as problem:
        cause = problem.faults[0].problem if isinstance(problem, ConfigError) else str(problem)
        fix = (
            "Name a lake, a folder of images, a list, verification sets (.bin), or a Parquet file with the columns "
            "vector and model."
        )
        raise ConfigError([Fault(_KEY, f"{root}: {cause}", fix)]) from None
    key = listing_key(listed)
    if form == FORMAT:
        listed = Listing(listed.dropDuplicates(["sha256"]))
    return Elsewhere(key, lambda run: _of_images(run, images, settings, listed))


def exported(run: Run, path: str) -> Elsewhere:
    """Find the embeddings that another program exported: Parquet with columns vector and model."""
    summed = F.sum(F.xxhash64("model", "vector").cast("decimal(38, 0)"))
    try:
        rows = run.spark.read.parquet(re.sub(r"([\[\]{}*?\\])", r"\\\1", _uri(path)))  # else taken for a glob
        kind = dict(rows.dtypes)["vector"]
        if kind not in ("array<float>", "array<double>"):
            fix = "Write it as a list of 32-bit floats."
            raise ConfigError([Fault(_KEY, f"{path}: column vector is {kind}", fix)])
        total, digest = rows.agg(F.count("*"), summed).collect()[0]
    except (Py4JJavaError, PySparkException) as problem:
        raise _unreadable(path, problem) from None
    return Elsewhere(f"{total} {digest}", lambda run: _usable(run, rows, path))


def _is_table(path: str) -> bool:
    return bool(Storage(path).info("metadata").type == FileType.Directory)


def _uri(path: str) -> str:
    """Name a local path so that Spark takes it for nothing else."""
    folder = Storage(path).folder
    return path if folder is None else f"file://{folder}"


def _version(spark: SparkSession, lake: str, name: str) -> int | None:
    """The snapshot that a table stands at."""
    refs = spark.read.format("iceberg").load(f"{_uri(lake)}/{name}#refs").where(F.col("name") == "main")
    row = refs.select("snapshot_id").head()
    return int(row[0]) if row else None


def _finished(spark: SparkSession, lake: str) -> dict[str, int]:
    """Table -> snapshot id after the newest run that is done; nothing if none is."""
    done = spark.read.format("iceberg").load(f"{_uri(lake)}/runs").where(F.col("status") == "done")
    row = done.orderBy(F.desc("ended"), F.desc("run")).select("after").head()
    return dict(row["after"]) if row else {}


def _of_lake(run: Run, lake: str, at: dict[str, int | None]) -> DataFrame:
    """The faces of a lake's listing."""
    tables = {
        name: run.spark.read.format("iceberg").option("snapshot-id", snapshot).load(f"{_uri(lake)}/{name}")
        for name, snapshot in at.items()
        if snapshot is not None
    }
    if "embeddings" not in tables:
        raise ConfigError([Fault(_KEY, f"the lake {lake} holds no face", "Run jobs/embed.py on it first.")])
    faces = tables["embeddings"]
    if "listing" in tables:
        faces = faces.join(tables["listing"].select("image_id"), "image_id", how="left_semi")
    return _usable(run, faces, f"the lake {lake}")


def _usable(run: Run, faces: DataFrame, place: str) -> DataFrame:
    """Take the faces of the run's model, of the right dimension."""
    ours = faces.where(F.col("model").cast("string") == run.model).select(
        F.col("vector").cast("array<float>").alias("vector")
    )
    wrong = F.col("vector").isNull() | (F.size("vector") != run.profile.dimension) | _without_direction()
    total, bad = ours.agg(F.count("*"), F.count_if(wrong)).collect()[0]
    if not total:
        raise ConfigError([_other_models(run, faces, place)])
    if bad:
        problem = (
            f"{count(bad)} of {count(total)} vectors in {place} are not {run.profile.dimension} numbers, not all zero"
        )
        raise ConfigError([Fault(_KEY, problem, f"Export the vectors of {run.model} whole.")])
    return ours


def _without_direction() -> Column:
    """Whether a vector is zero, or not all of it finite numbers."""
    unusable = F.exists("vector", lambda x: x.isNull() | F.isnan(x) | (F.abs(x) == float("inf")))
    return unusable | F.forall("vector", lambda x: x == 0)


def _other_models(run: Run, faces: DataFrame, place: str) -> Fault:
    models_there = [row[0] for row in faces.select("model").distinct().orderBy("model").limit(_SHOWN).collect()]
    if not models_there:
        return Fault(_KEY, f"{place} holds no face", "Name one that holds faces of the people to protect.")
    problem = f"{place} holds faces of {', '.join(map(str, models_there))}, and none of this run's model {run.model}"
    return Fault(_KEY, problem, "Embed it with the same profile and embed settings, or name its folder of images.")


def _of_images(run: Run, images: Source, settings: Images, listed: Listing) -> DataFrame:
    """Embed the images, and warn of those that give no face."""
    models.check(run.profile)
    plan = Plan(run.profile, run.config.embed, run.model, None if images.carries_content else images.fetch())
    outcome = faces_of.embedded(faces_of.listed_images(listed, images), plan)
    faces = faces_of.embeddings(outcome)
    without = outcome.where(F.col("reason").isNotNull()).count()
    if not faces.count():
        problem = f"{settings.root} holds no usable face ({count(without)} images)"
        raise ConfigError([Fault(_KEY, problem, "Name images on which the detector finds a face.")])
    if without:
        run.warn(f"{_KEY}: {count(without)} images of {settings.root} give no face and protect nobody")
    return faces.select("vector")


def _unreadable(place: str, problem: Exception) -> ConfigError:
    cause = first_line(problem)
    return ConfigError([Fault(_KEY, f"{place} cannot be read ({cause})", "Give what facesieve or Spark can read.")])
