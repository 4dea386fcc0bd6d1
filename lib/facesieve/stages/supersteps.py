"""Chinese Whispers as message passing over a GraphFrame: what `kernels.whispers` defines, to the bit, on a cluster.

A superstep is one look and, if anybody wants another label, one move. What it costs: GraphFrames passes the messages
(two shuffles of the edges that matter, fewer where the faces fit in a broadcast), the new state is checkpointed (one
row per face, which cuts the lineage), and two numbers come to the driver. After the first supersteps only the
neighbours of the faces that have just moved are sent messages: nobody else can have changed preference.

The session needs a checkpoint directory; with `spark.cleaner.referenceTracking.cleanCheckpoints` Spark deletes former
states from it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from graphframes import GraphFrame
from graphframes.lib import AggregateMessages
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from facesieve import config
from facesieve.kernels.whispers import COIN_BITS, COIN_STEPS, Coin

BROADCAST_MOVED = 10_000
"""So many moved faces (and their neighbours) are sent to every executor; more are joined by a shuffle."""
FILTER_BELOW = 0.25
"""Share of moved faces under which it pays to look for their neighbours first."""


@dataclass(frozen=True)
class Outcome:
    """What the vote came to.

    labels: id bigint, label bigint, settled boolean (the face prefers its own label at last), one row per vertex.
    mirrored: the voting edges in both directions (src, dst, vote), materialised, for what follows the vote.
    unsettled: faces that preferred another label than their own when each superstep began; its last entry is 0 if
    settled. supersteps: its length.
    """

    labels: DataFrame
    mirrored: DataFrame
    settled: bool
    unsettled: list[int]
    supersteps: int


def whispers(
    vertices: DataFrame, edges: DataFrame, settings: config.Cluster, report: Callable[[int, int], None]
) -> Outcome:
    """Let faces whisper until nobody prefers another label, or `cluster.max_supersteps` is reached.

    vertices: id bigint, unique. edges: src, dst, vote, all bigint, each pair once, votes above 0, both ends among the
    vertices. `report` is called with (superstep, faces unsettled when it began).
    """
    mirrored = _mirrored(edges).checkpoint()
    state = _start(mirrored).checkpoint()
    faces = moved = state.count()
    unsettled: list[int] = []
    for step in range(1, settings.max_supersteps + 1):
        heard = _heard(state, _near(state, mirrored, moved, faces)) if moved else None
        state = _superstep(_looked(state, heard), mirrored, step, settings)
        if heard is not None:
            heard.unpersist()
        wanting, moved = _counted(state)
        unsettled.append(wanting)
        report(step, wanting)
        if wanting == 0:
            break
    labels = vertices.select("id").join(state, "id", how="left")
    label, content = F.coalesce("label", "id"), ~F.coalesce("wanting", F.lit(False))
    settled = unsettled[-1] == 0
    named = labels.select("id", label.alias("label"), content.alias("settled"))
    return Outcome(named, mirrored, settled, unsettled, len(unsettled))


def draws(step: int, seed: int) -> Column:
    """Draw for the face in column `id`: the bigint of `kernels.whispers.Coin.draws`."""
    words = [F.lit(seed).cast("bigint"), F.lit(step).cast("bigint"), F.col("id").cast("bigint")]
    return F.shiftrightunsigned(F.xxhash64(*words), 64 - COIN_BITS)


def _mirrored(edges: DataFrame) -> DataFrame:
    back = edges.select(F.col("dst").alias("src"), F.col("src").alias("dst"), "vote")
    return edges.select("src", "dst", "vote").unionByName(back).repartition("dst")


def _start(mirrored: DataFrame) -> DataFrame:
    """Give every face that has an edge its own label; `moved`, so that all look in the first superstep."""
    own = F.col("id")
    faces = mirrored.select(F.col("dst").alias("id")).distinct()
    flags = F.lit(False).alias("wanting"), F.lit(True).alias("moved")
    return faces.select("id", own.alias("label"), own.alias("preferred"), *flags)


def _near(state: DataFrame, mirrored: DataFrame, moved: int, faces: int) -> DataFrame:
    """Return the edges into the neighbours of those that moved, or all, where that is as much work."""
    if moved > FILTER_BELOW * faces:
        return mirrored
    hint = F.broadcast if moved <= BROADCAST_MOVED else _unhinted
    senders = state.where("moved").select(F.col("id").alias("src"))
    receivers = mirrored.join(hint(senders), "src", how="left_semi").select("dst").distinct()
    return mirrored.join(hint(receivers), "dst", how="left_semi")


def _unhinted(frame: DataFrame) -> DataFrame:
    return frame


def _heard(state: DataFrame, near: DataFrame) -> DataFrame:
    """Return the best label (`best`) for every face (`id`) that receives a vote through `near`, persisted."""
    graph = GraphFrame(state.select("id", "label"), near)
    vote = F.struct(
        AggregateMessages.src["label"].alias("label"),
        AggregateMessages.edge["vote"].alias("vote"),
        (AggregateMessages.src["label"] == AggregateMessages.dst["label"]).alias("own"),
    )
    heard: DataFrame = graph.aggregateMessages([_best(AggregateMessages.msg).alias("best")], sendToDst=[vote])
    return heard


def _best(vote: Column) -> Column:
    """Aggregate the votes sent to one face: the own label if it is among the best, else the smallest of the best.

    The votes are sorted by label and folded with a running sum per label, so a hub costs n log n and no map. As votes
    are above 0, a sum that is still running never beats the finished one. ~label orders like -label, without overflow.
    """
    none = F.lit(0).cast("bigint")
    start = F.struct(none.alias("label"), none.alias("sum"), _candidate(none, F.lit(False), none).alias("best"))

    def add(sofar: Column, heard: Column) -> Column:
        same = sofar["label"] == heard["label"]
        total = F.when(same, sofar["sum"]).otherwise(none) + heard["vote"]
        best = F.greatest(sofar["best"], _candidate(total, heard["own"], F.bitwise_not(heard["label"])))
        return F.struct(heard["label"].alias("label"), total.alias("sum"), best.alias("best"))

    return F.aggregate(F.sort_array(F.collect_list(vote)), start, add, lambda end: F.bitwise_not(end["best"]["least"]))


def _candidate(total: Column, own: Column, least: Column) -> Column:
    return F.struct(total.alias("sum"), own.alias("own"), least.alias("least"))


def _looked(state: DataFrame, heard: DataFrame | None) -> DataFrame:
    """Say what every face prefers now (id, label, preferred, wanting); those that heard nothing stay as they were."""
    if heard is None:
        return state.select("id", "label", "preferred", "wanting")
    joined = state.join(heard, "id", how="left")
    looked = joined.select("id", "label", F.coalesce("best", "preferred").alias("preferred"))
    return looked.withColumn("wanting", F.col("preferred") != F.col("label"))


def _superstep(looked: DataFrame, mirrored: DataFrame, step: int, settings: config.Cluster) -> DataFrame:
    """Let the movers of this superstep move; materialised as id, label, preferred, wanting (before it), moved."""
    if step == settings.max_supersteps:
        moving = looked.withColumn("moved", F.lit(False))
    elif step <= COIN_STEPS:
        heads = draws(step, settings.seed) < F.lit(Coin(settings.update_fraction, settings.seed).bound)
        moving = looked.withColumn("moved", F.col("wanting") & heads)
    else:
        moving = _least_first(looked.checkpoint(), mirrored, draws(step, settings.seed))
    label = F.when(F.col("moved"), F.col("preferred")).otherwise(F.col("label"))
    return moving.select("id", label.alias("label"), "preferred", "wanting", "moved").checkpoint()


def _least_first(looked: DataFrame, mirrored: DataFrame, draw: Column) -> DataFrame:
    """Mark as `moved` each wanting face whose (draw, id) is the least among itself and its wanting neighbours."""
    rank = F.struct(draw.alias("draw"), "id")
    wanting = looked.where("wanting").select("id", rank.alias("rank"))
    least_rival = F.min(AggregateMessages.msg).alias("rival")
    heard = GraphFrame(wanting, mirrored).aggregateMessages([least_rival], sendToDst=[AggregateMessages.src["rank"]])
    least = F.col("rival").isNull() | (rank < F.col("rival"))
    joined = looked.join(heard, "id", how="left")
    return joined.select("id", "label", "preferred", "wanting", (F.col("wanting") & least).alias("moved"))


def _counted(state: DataFrame) -> tuple[int, int]:
    """Count the faces that wanted another label, and those that moved."""
    row = state.agg(F.count_if("wanting").alias("wanting"), F.count_if("moved").alias("moved")).collect()[0]
    return row["wanting"], row["moved"]
