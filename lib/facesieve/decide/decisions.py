"""One verdict for every image of the listing, with reasons, evidence and confidence.

`standing` (failed, overlap, two identities, duplicates), `policy` (the clusters of each folder), `evidence` (which face
speaks for the image, what is nearest to it, how well it belongs), `claims`, `flips` and `identity_links` (across
folders), then the rules of `verdicts`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from facesieve.core import config
from facesieve.core.reasons import PUBLISHED, Reason, Verdict
from facesieve.core.tables import (
    DECISIONS,
    Clusters,
    Decisions,
    Edges,
    Embeddings,
    IdentityLinks,
    Listing,
    Rejects,
    conform,
)
from facesieve.decide import confidence
from facesieve.decide.checkpointed import fixed
from facesieve.decide.cluster_owners import claims, is_core
from facesieve.decide.eligibility import standing
from facesieve.decide.evidence import Terms, with_evidence
from facesieve.decide.identity_links import identity_links
from facesieve.decide.keep_policy import POLICIES, folder_reason, in_folders
from facesieve.decide.kernels.membership import Scale
from facesieve.decide.nearest_other import elsewhere
from facesieve.decide.rules import proposed
from facesieve.decide.side_columns import Asides
from facesieve.decide.wrong_folder import flips
from facesieve.faces.join_vectors import vectors_of

_ONE_PERSON = 0.5
"""Confidence from which the main cluster of a folder counts as the other folder's person."""


@dataclass(frozen=True)
class Inputs:
    """What is decided upon: rejects and embeddings of one model, clusters and edges of the faces of the listing."""

    listing: Listing
    embeddings: Embeddings
    rejects: Rejects
    clusters: Clusters
    edges: Edges
    asides: Asides = field(default_factory=Asides)


@dataclass(frozen=True)
class Basis:
    """What the rules go by: the settings, `link.scope`, what the model's cosines mean (None: the profile does not say),
    and the cosine from which the medoid of a mode is near that of the largest."""

    settings: config.Decide
    link_scope: str
    scale: Scale | None = None
    medoid_cosine: float = 1.0


@dataclass(frozen=True)
class Decided:
    """The decisions, and the proposals for identities."""

    rows: Decisions
    links: IdentityLinks
    _judged: DataFrame

    def facts(self) -> dict[str, object]:
        """Count what each keep policy would publish, and people's verdicts that the rules contradict or that fail."""
        published = [F.count_if(F.col(f"verdict_{policy}").isin(*PUBLISHED)).alias(policy) for policy in POLICIES]
        failed = F.col("ruled").isNotNull() & (F.col("verdict") == Verdict.FAIL.value)
        against = [F.count_if("contradicted").alias("contradicted"), F.count_if(failed).alias("ruled_failed")]
        row = self._judged.agg(*published, *against).collect()[0]
        policies = {policy: row[policy] for policy in POLICIES}
        return {"policies": policies, "contradicted": row.contradicted, "ruled_failed": row.ruled_failed}


def decisions(inputs: Inputs, basis: Basis) -> Decided:
    """Decide every image: exactly one row per row of the listing, whatever faces other images may have.

    With `link.scope` heap an identity is judged by the heap clusters within it, with identity an image without an
    identity cannot be judged, and nothing is known across folders. The row's face, cluster and evidence are those of
    the face that speaks for the image; evidence.share is null without an identity, margin where no other people's face
    is within the link cosine. Doubts about that face follow the verdict's reason; confidence is the probability that a
    kept, moved or dropped image is what the verdict says, and that a quarantined one is its folder's person.
    """
    told = fixed(_told(inputs, basis))
    claimed = fixed(claims(told))
    links = fixed(identity_links(told, inputs.embeddings, basis.scale, basis.settings))
    suspected = fixed(_suspected(told, claimed, inputs, basis))
    images = told.join(suspected, on="face_id", how="left").transform(_with_links, links)
    judged = fixed(_judged(images, basis, _prior(told)))
    return Decided(_decided(judged, inputs.edges), IdentityLinks(links), judged)


def _told(inputs: Inputs, basis: Basis) -> DataFrame:
    settings = basis.settings
    known = standing(inputs.listing, inputs.rejects, inputs.embeddings, inputs.edges, inputs.asides, settings)
    faces = in_folders(known, inputs.clusters, settings, basis.link_scope)
    # Which modes are near the largest is known when the vectors have been seen.
    policy = "modes" if settings.keep == "medoid" else settings.keep
    by_rule = F.col("ruled").isNull() & F.col("reason").isNull() & folder_reason(policy, settings).isNull()
    kept = F.coalesce(F.when(F.col("ruled") == Verdict.KEEP.value, F.col("face_id").isNotNull()), by_rule)
    seen = vectors_of(faces.withColumn("may_keep", kept), inputs.embeddings)
    return with_evidence(seen, Terms(basis.scale, basis.medoid_cosine, settings.keep == "medoid"))


def _suspected(told: DataFrame, claimed: DataFrame, inputs: Inputs, basis: Basis) -> DataFrame:
    """Find the faces that may be another folder's, and how sure that is."""
    found = fixed(flips(told, claimed, inputs.embeddings, basis.settings.min_faces, basis.scale))
    asked = found.select("face_id", F.col("target").alias("people"), F.lit(True).alias("moved"))
    core = told.where(is_core()).select("face_id", F.col("identity").alias("people"))
    second = elsewhere(inputs.edges, asked, core).withColumnRenamed("elsewhere", "to_elsewhere")
    # Without an edge elsewhere all other people are below the link cosine, which is about that of the weakest edge.
    least = inputs.edges.where("scope = 'global'").agg(F.min("cosine")).collect()[0][0]
    told_of = found.join(second, on="face_id", how="left")
    scale = basis.scale or Scale(0.0, 1.0, 1.0)
    nearest = F.coalesce("to_elsewhere", F.lit(scale.intercept if least is None else least).cast("float"))
    return told_of.withColumn("to_elsewhere", nearest).withColumn("flip_sure", confidence.of_flip(scale.slope))


def _prior(told: DataFrame) -> float:
    counted = F.col("counted") & F.col("identity").isNotNull()
    row = told.agg(F.count_if(counted & F.col("main")).alias("kept"), F.count_if(counted).alias("counted")).collect()[0]
    return confidence.prior_odds(row.kept, row.counted)


def _with_links(images: DataFrame, links: DataFrame) -> DataFrame:
    """Say of each image what became of its folder, and of the folder that it may move to."""
    known = links.select(
        F.col("identity_b").alias("identity"),
        F.when(F.col("merged"), F.col("identity_a")).alias("merged_into"),
        F.col("confidence").alias("link_confidence"),
        (~F.col("merged") & (F.col("confidence") >= _ONE_PERSON)).alias("one_person"),
    )
    onward = known.select(F.col("identity").alias("target"), F.col("merged_into").alias("onward"))
    return images.join(known, on="identity", how="left").join(onward, on="target", how="left")


def _judged(images: DataFrame, basis: Basis, prior: float) -> DataFrame:
    """Apply the rules and people's verdicts."""
    ours = basis.settings.keep
    weighed = images.withColumn("belongs", confidence.of_belonging(prior))
    judged = proposed(weighed, basis.settings).withColumns(
        {"found": F.col(f"reason_{ours}"), "proposal": F.col(f"verdict_{ours}")}
    )
    failed = F.col("proposal") == Verdict.FAIL.value
    verdict = F.when(failed, F.col("proposal")).otherwise(F.coalesce("ruled", "proposal"))
    decided = judged.withColumns({"sure": _confidence(), "verdict": verdict})
    # Who is quarantined is in doubt: that contradicts nobody.
    contradicted = (F.col("verdict") != F.col("proposal")) & (F.col("proposal") != Verdict.QUARANTINE.value)
    return decided.withColumns({"contradicted": contradicted, "moved_to": _moved_to()})


def _confidence() -> Column:
    """The probability that what the rules propose is right; null where nothing was weighed."""
    certain = (Reason.DUPLICATE.value, Reason.NEAR_DUPLICATE.value)
    unweighed = (Reason.OVERLAP.value, Reason.TWO_IDENTITIES.value, Reason.IDENTITY_TOO_SMALL.value)
    found, proposal, belongs = F.col("found"), F.col("proposal"), F.col("belongs")
    return (
        F.when(proposal == Verdict.FAIL.value, None)
        .when(found.isin(*certain), F.lit(1.0))
        .when(found.isin(*unweighed), None)
        .when(found == Reason.MERGED.value, F.col("link_confidence"))
        .when(proposal == Verdict.MOVE.value, F.col("flip_sure"))
        .when(proposal == Verdict.DROP.value, F.lit(1.0) - belongs)
        .otherwise(belongs)
    )


def _moved_to() -> Column:
    by_rule = F.when(F.col("found") == Reason.MERGED.value, F.col("merged_into")).otherwise(
        F.coalesce("onward", "target")
    )
    moved = F.when(F.col("ruled").isNotNull(), F.col("ruled_to")).otherwise(by_rule)
    return F.when(F.col("verdict") == Verdict.MOVE.value, moved)


def _decided(judged: DataFrame, edges: Edges) -> Decisions:
    cluster = F.concat(F.lit("cluster-"), F.col("cluster_id").cast("string"))
    people = F.coalesce("moved_to", "identity", cluster)
    published = F.col("verdict").isin(*PUBLISHED).alias("published")
    named = judged.select("face_id", people.alias("people"), published, F.col("moved_to").isNotNull().alias("moved"))
    speaking = named.where(F.col("face_id").isNotNull() & F.col("people").isNotNull())
    second = elsewhere(edges, speaking, speaking.where("published"))
    told = judged.join(second, on="face_id", how="left").withColumns(_of_its_people())
    copied = F.col("found").isin(Reason.DUPLICATE.value, Reason.NEAR_DUPLICATE.value) & F.col("ruled").isNull()
    decided = told.select(
        *("image_id", "uri", "identity", "verdict"),
        _reasons().alias("reasons"),
        *("face_id", "cluster_scope", "cluster_id", "moved_to"),
        F.when(copied, F.col("keeper")).alias("kept_image_id"),
        F.when(F.col("ruled").isNull(), F.col("sure")).cast("float").alias("confidence"),
        _evidence().alias("evidence"),
        "proposal",
    )
    return Decisions(conform(decided, DECISIONS))


def _of_its_people() -> dict[str, Column]:
    """What is nearest among those that the image ends with; of an overlap among the protected faces."""
    moved = F.col("verdict") == Verdict.MOVE.value
    stayed = ~moved | F.col("moved_to").eqNullSafe(F.col("merged_into"))
    compared = F.col("moved_to").eqNullSafe(F.coalesce("onward", "target"))
    overlap = F.col("overlap_cosine").isNotNull()
    found = {"nearest_face": ("to_face", None), "cosine": ("to_cosine", F.col("overlap_cosine"))}
    return {
        name: F.when(overlap, protected).when(stayed, F.col(name)).when(compared, F.col(there))
        for name, (there, protected) in found.items()
    }


def _reasons() -> Column:
    """A person's word first, then what the rules found, then doubts about the face."""
    by_hand = F.when(F.col("ruled").isNotNull() & (F.col("verdict") != Verdict.FAIL.value), Reason.OVERRIDDEN.value)
    own = F.array_compact(F.array(by_hand, F.col("found")))
    doubts = F.coalesce("doubts", F.array().cast("array<string>"))
    return F.array_distinct(F.concat(own, doubts))


def _evidence() -> Column:
    margin = (F.col("cosine") - F.col("elsewhere")).cast("float").alias("margin")
    told = F.struct("nearest_face", "cosine", "share", margin)
    return F.when(F.col("verdict") != Verdict.FAIL.value, told)
