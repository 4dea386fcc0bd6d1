"""One verdict for every image of the listing, with reasons, evidence and confidence.

`eligibility` (failed, overlap, copies), `in_folders` (the clusters of each folder), `with_evidence` (which face speaks
for the image, what is nearest to it, its membership score), `cluster_owners`, `identity_links` and `flips` (across
folders), then the table of the rules (`verdicts`).
"""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from facesieve.core import sections
from facesieve.core.frames import checkpointed
from facesieve.core.reasons import Reason, Verdict, is_published
from facesieve.core.side_by_side import side_by_side
from facesieve.core.tables import DECISIONS, Decisions, Edges, IdentityLinks, conform
from facesieve.decide import confidence
from facesieve.decide.cluster_owners import ClusterOwners, cluster_owners
from facesieve.decide.eligibility import eligibility
from facesieve.decide.evidence import Speakers, SpeakingFaces, Terms, nearest_of_others, with_evidence
from facesieve.decide.flips import Suspects, flips
from facesieve.decide.identity_links import identity_links
from facesieve.decide.inputs import Basis, Inputs
from facesieve.decide.keep_policy import POLICIES, approves, in_folders, objections
from facesieve.decide.small_folders import folder_record
from facesieve.decide.verdicts import DecidedImages, WeighedImages, nearest_of_its_people, with_proposals, with_verdicts
from facesieve.lake.decide_records import DecideRecord

_ONE_PERSON = 0.5
"""Confidence from which the main cluster of a folder counts as the other folder's person."""

_NO_FOLDER = "\0"
"""Before the id of a cluster that is in no folder: no folder of the input can be called so."""


@dataclass(frozen=True)
class Outcome:
    """The decisions, and the proposals for identities."""

    rows: Decisions
    links: IdentityLinks
    _decided: DecidedImages
    _settings: sections.Decide

    def record(self) -> DecideRecord:
        """Count what each keep policy would publish, folders, and people's verdicts against the rules or that fail."""
        published = [F.count_if(is_published(F.col(f"verdict_{policy}"))).alias(policy) for policy in POLICIES]
        failed = F.col("override").isNotNull() & (F.col("verdict") == Verdict.FAIL.value)
        # Who is quarantined is in doubt: that contradicts nobody.
        sure = F.col("proposal") != Verdict.QUARANTINE.value
        contradicted = (F.col("verdict") != F.col("proposal")) & sure
        counts = [F.count_if(contradicted).alias("contradicted"), F.count_if(failed).alias("ruled_failed")]
        row = self._decided.agg(*published, *counts).collect()[0]
        policies = {policy: row[policy] for policy in POLICIES}
        by_hand = {"contradicted": row.contradicted, "ruled_failed": row.ruled_failed}
        return DecideRecord(policies=policies, folders=folder_record(self._decided, self._settings), **by_hand)


def decisions(inputs: Inputs, basis: Basis) -> Outcome:
    """Decide every image: exactly one row per row of the listing, whatever faces other images may have.

    With `link.scope` global an identity is judged by the clusters of the scope `global` within it. With identity an
    image without an identity cannot be judged, and nothing is known across folders. The row's face, cluster and
    evidence are those of the face that speaks for the image. evidence.share is null without an identity, margin where
    no other people's face is within the link cosine. Doubts about that face follow the verdict's reason. confidence is
    the probability that a kept, moved or dropped image is what the verdict says, and that a quarantined one is its
    folder's person.
    """
    speaking = SpeakingFaces(checkpointed(_speaking(inputs, basis)))
    owners = ClusterOwners(checkpointed(cluster_owners(speaking)))
    across = side_by_side(
        speaking.sparkSession,
        lambda: checkpointed(identity_links(speaking, inputs.embeddings, basis.scale, basis.settings)),
        lambda: checkpointed(flips(speaking, owners, inputs, basis)),
    )
    links, suspects = IdentityLinks(across[0]), Suspects(across[1])
    images = _with_links(speaking.join(suspects, on="face_id", how="left"), links)
    weighed = WeighedImages(images.withColumns(_weights(_prior(speaking))))
    proposed = with_proposals(weighed, basis.settings)
    decided = DecidedImages(checkpointed(with_verdicts(proposed, basis.settings)))
    return Outcome(_rows(decided, inputs.edges), links, decided, basis.settings)


def _speaking(inputs: Inputs, basis: Basis) -> SpeakingFaces:
    settings = basis.settings
    faces = in_folders(eligibility(inputs, settings), inputs.clusters, settings, basis.link_scope)
    # Which modes are near the largest is known when the vectors have been seen.
    policy = "modes" if settings.keep == "medoid" else settings.keep
    by_rule = F.col("override").isNull() & F.col("undecided") & approves(objections(policy, settings).values())
    by_hand = F.when(F.col("override") == Verdict.KEEP.value, F.col("face_id").isNotNull())
    terms = Terms(basis.scale, basis.medoid_cosine, settings.keep == "medoid")
    return with_evidence(faces, F.coalesce(by_hand, by_rule), inputs.embeddings, terms)


def _weights(prior: float) -> dict[str, Column]:
    """The confidences of an image, with what the faces leave open that were not looked at."""
    return {
        "membership_confidence": confidence.of_unseen(confidence.of_membership(prior)),
        "flip_confidence": confidence.of_unseen_flip(F.col("flip_confidence")),
    }


def _prior(speaking: SpeakingFaces) -> float:
    """The log odds that an image shows its folder's person, from the share of images in the main clusters."""
    counted = F.col("counted") & F.col("identity").isNotNull()
    counts = (F.count_if(counted & F.col("main")).alias("central"), F.count_if(counted).alias("counted"))
    row = speaking.agg(*counts).collect()[0]
    return confidence.prior_odds(row.central, row.counted)


def _with_links(images: DataFrame, links: IdentityLinks) -> DataFrame:
    """Say of each image what became of its folder, and of the folder that it may move to."""
    of_folder = links.select(
        F.col("identity_b").alias("identity"),
        F.when(F.col("merged"), F.col("identity_a")).alias("merged_into"),
        F.col("confidence").alias("link_confidence"),
        (~F.col("merged") & (F.col("confidence") >= _ONE_PERSON)).alias("one_person"),
    )
    onward = of_folder.select(F.col("identity").alias("target"), F.col("merged_into").alias("onward"))
    return images.join(of_folder, on="identity", how="left").join(onward, on="target", how="left")


def _rows(decided: DecidedImages, edges: Edges) -> Decisions:
    """The table, from the decided images and what is near to them."""
    nearest = decided.join(nearest_of_others(edges, *_speakers(decided)), on="face_id", how="left")
    copied = F.col("reason").isin(Reason.DUPLICATE.value, Reason.NEAR_DUPLICATE.value)
    rows = nearest.withColumns(nearest_of_its_people()).select(
        *("image_id", "uri", "identity", "verdict"),
        _reasons().alias("reasons"),
        *("face_id", "cluster_scope", "cluster_id", "moved_to"),
        F.when(copied, F.col("keeper")).alias("kept_image_id"),
        F.col("confidence").cast("float").alias("confidence"),
        _evidence().alias("evidence"),
        "proposal",
    )
    return Decisions(conform(rows, DECISIONS))


def _speakers(decided: DecidedImages) -> tuple[Speakers, Speakers]:
    """All faces that speak for an image, with the people that it ends with; and those of published images."""
    cluster = F.concat(F.lit(_NO_FOLDER), F.col("cluster_id").cast("string"))
    named = decided.select(
        "face_id",
        F.coalesce("moved_to", "identity", cluster).alias("people"),
        F.col("moved_to").isNotNull().alias("moved"),
        is_published(F.col("verdict")).alias("published"),
    )
    speaking = named.where(F.col("face_id").isNotNull() & F.col("people").isNotNull())
    return Speakers(speaking), Speakers(speaking.where("published"))


def _reasons() -> Column:
    """A person's word first, then what the rules say, then doubts about the face."""
    own = F.array_compact(F.array("reason", "proposed_reason"))
    doubts = F.coalesce("doubts", F.array().cast("array<string>"))
    return F.array_distinct(F.concat(own, doubts))


def _evidence() -> Column:
    margin = (F.col("cosine") - F.col("other_cosine")).cast("float").alias("margin")
    return F.when(F.col("verdict") != Verdict.FAIL.value, F.struct("nearest_face", "cosine", "share", margin))
