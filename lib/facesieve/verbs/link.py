"""link: which pairs of faces are close enough to be one person. embeddings -> edges."""

from __future__ import annotations

from dataclasses import asdict
from functools import reduce
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from facesieve import tables
from facesieve.config import Link
from facesieve.console import count, say
from facesieve.errors import ConfigError, Fault
from facesieve.kernels.thresholds import link_cosine, to_cosine
from facesieve.profiles import Profile
from facesieve.run import Run, Stage
from facesieve.stages import edges as edges_stage
from facesieve.stages.edges import Plan
from facesieve.stages.recall import Recall, recall
from facesieve.tables import Edges

EXACT_BELOW = 20_000
"""Faces up to which all pairs are compared if the LSH join misses `link.recall`: seconds, and every edge is found."""


def link(run: Run) -> None:
    """Join faces that are similar enough, in one folder or in the whole heap, and measure the recall."""
    settings, profile = run.config.link, run.profile
    calibration = [asdict(part) for part in (profile.strangers, profile.identity) if part]
    stage = run.stage(
        "link",
        (tables.EDGES,),
        (tables.LISTING, tables.EMBEDDINGS),
        link=asdict(settings),
        model=run.model,
        calibration=calibration,
    )
    faces = faces_of(stage, run.model).persist()
    total = faces.count()
    cosines = _cosines(settings, profile, total)
    if stage.reuse():
        stage.done(total, stage.read(tables.EDGES).count(), reused=True)
    else:
        facts = _join(stage, faces, cosines, settings.method)
        stage.done(total, facts["edges"], reused=False, **facts)
    faces.unpersist()


def faces_of(stage: Stage, model: str) -> DataFrame:
    """Return face_id, image_id, identity and vector of this model's faces whose images are in the listing."""
    listed = stage.read(tables.LISTING).select("image_id", "identity")
    embedded = stage.read(tables.EMBEDDINGS).where(F.col("model") == model)
    return embedded.join(listed, "image_id", "inner").select("face_id", "image_id", "identity", "vector")


def scopes(settings: Link) -> tuple[str, ...]:
    """Return the scopes that `link.scope` asks for."""
    return ("identity", "heap") if settings.scope == "both" else (settings.scope,)


def _join(stage: Stage, faces: DataFrame, cosines: dict[str, float], method: str) -> dict[str, Any]:
    """Join every scope, commit the edges, and return what the ledger keeps of it."""
    facts: dict[str, Any] = {"cosines": cosines, "capped": None, "strangers": None}
    joined: list[DataFrame] = []
    for scope, cosine in cosines.items():
        plan = edges_stage.plan(faces, scope, cosine, method)
        found = edges_stage.edges(faces, plan)
        if scope == "heap":
            found = _heap(stage.run, faces, Edges(found.persist()), plan, facts)
        joined.append(found)
    stage.overwrite(tables.EDGES, reduce(DataFrame.unionByName, joined))
    facts["edges"] = stage.read(tables.EDGES).count()
    return facts


def _heap(run: Run, faces: DataFrame, found: Edges, plan: Plan, facts: dict[str, Any]) -> Edges:
    """Measure the recall of an LSH join; a small heap that misses the target is joined exactly instead."""
    if plan.method == "voronoi":
        measured, target = _measured(faces, found, plan.cosine), run.config.link.recall
        short = measured.recall is not None and measured.recall < target
        if short and faces.count() <= EXACT_BELOW:
            say("link: that is below link.recall; the heap is small, so all pairs are compared instead")
            facts["lsh_recall"] = measured.recall
            plan = edges_stage.plan(faces, plan.scope, plan.cosine, "exact")
            found.unpersist()
            found = Edges(edges_stage.edges(faces, plan).persist())
            measured = _measured(faces, found, plan.cosine)
        elif short:
            run.warn(f'link: recall is below link.recall = {target:g}; link.method = "exact" finds all edges')
        facts.update(recall=measured.recall, recall_low=measured.low, recall_high=measured.high)
    facts["cells"], facts["candidates"] = edges_stage.comparisons(faces, plan)
    facts["probes"] = plan.probes
    return found


def _measured(faces: DataFrame, found: Edges, cosine: float) -> Recall:
    measured = recall(faces, found, cosine)
    sample = f"{count(measured.true_edges)} true edges of {count(measured.faces)} sampled faces"
    if measured.recall is None:
        say(f"link: recall unknown: only {sample}")
    else:
        say(f"link: recall {measured.recall:.4f} ({measured.low:.4f} to {measured.high:.4f}), from {sample}")
    return measured


def _cosines(settings: Link, profile: Profile, faces: int) -> dict[str, float]:
    """Return scope -> link cosine: the explicit threshold, else the profile's (identity) or the derived one (heap)."""
    faults: list[Fault] = []
    found = {}
    for scope in scopes(settings):
        key = f"link.threshold_{scope}"
        try:
            found[scope] = _cosine(scope, settings, profile, faces)
        except ValueError as problem:
            fix = f"Set {key} to a cosine above 0 and below 1 (or the same in link.unit), or change what it comes from."
            faults.append(Fault(key, str(problem), fix))
    if faults:
        raise ConfigError(faults)
    return found


def _cosine(scope: str, settings: Link, profile: Profile, faces: int) -> float:
    explicit = settings.threshold_identity if scope == "identity" else settings.threshold_heap
    if explicit:
        return to_cosine(explicit, settings.unit)
    if scope == "identity":
        if profile.identity is None:
            raise ValueError(f"is not given, and the profile {profile.name} has no [identity]")
        return profile.identity.cosine
    if profile.strangers is None:
        raise ValueError(f"is not given, and the profile {profile.name} has no [strangers] to derive it from")
    line = profile.strangers
    return link_cosine(line.intercept, line.slope, settings.strangers, faces, settings.min_n)
