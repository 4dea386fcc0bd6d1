"""Whether a check is a query that Spark can answer: told from its plan, before there is anything to ask.

A check may read and must not do anything else. So a plan with a command in it is refused, and so is one that starts a
program or calls into Java.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from py4j.java_gateway import is_instance_of
from pyspark.errors import AnalysisException, ParseException
from pyspark.sql import DataFrame, SparkSession

from facesieve.core.errors import Fault, first_line
from facesieve.core.tables import CLEANED, DECISIONS, Cleaned, Decisions, conform
from facesieve.publish.check_files import KEY, ONE_QUERY, Check

_CATALYST = "org.apache.spark.sql.catalyst"
_ACTS = tuple(
    f"{_CATALYST}.{kind}"
    for kind in (
        "plans.logical.Command",
        "plans.logical.ParsedStatement",
        "plans.logical.ScriptTransformation",
        "expressions.CallMethodViaReflection",
    )
)
_SUBQUERY = f"{_CATALYST}.expressions.PlanExpression"
_LEAF = f"{_CATALYST}.expressions.LeafExpression"
_PLAN = f"{_CATALYST}.plans.QueryPlan"


class Views(NamedTuple):
    """What a check may name: what was decided, what is to be published, and what is published."""

    decisions: Decisions
    cleaned_staged: Cleaned
    cleaned: Cleaned


def no_rows(spark: SparkSession) -> Views:
    """Return the views as declared, without a row."""
    decisions, cleaned = (spark.createDataFrame([], table.columns) for table in (DECISIONS, CLEANED))
    return Views(Decisions(decisions), Cleaned(cleaned), Cleaned(cleaned))


@contextmanager
def shown(views: Views) -> Iterator[None]:
    """Let queries of the block find the views, with the declared columns."""
    frames: dict[str, DataFrame] = {
        "decisions": conform(views.decisions, DECISIONS),
        "cleaned_staged": conform(views.cleaned_staged, CLEANED),
        "cleaned": conform(views.cleaned, CLEANED),
    }
    try:
        for name, frame in frames.items():
            frame.createOrReplaceTempView(name)
        yield
    finally:
        for name in frames:
            views.decisions.sparkSession.catalog.dropTempView(name)


def query_fault(spark: SparkSession, check: Check, coming: Collection[str] = ()) -> Fault | None:
    """Say what keeps a check from being asked while its views are shown; None if nothing does. Nothing is run.

    coming: names of tables that are not there yet. A query that reads one is resolved later.
    """
    try:
        acts = _acts(spark, check.query)
    except (ParseException, AnalysisException) as problem:
        if _absent(problem) in coming:
            return None
        return Fault(KEY, f"{check.file}: {first_line(problem).rstrip(' ;.')}", ONE_QUERY)
    if acts:
        return Fault(KEY, f"{check.file} is no query, or does more than read ({acts})", ONE_QUERY)
    return None


def _absent(problem: ParseException | AnalysisException) -> str:
    """Return the name of the table that a query reads and that is not there; empty for any other fault."""
    named = (problem.getMessageParameters() or {}) if problem.getErrorClass() == "TABLE_OR_VIEW_NOT_FOUND" else {}
    return named.get("relationName", "").replace("`", "")


def _acts(spark: SparkSession, query: str) -> str | None:
    """Return the name of the first part of a query that does more than read, of the plan as written and as resolved."""
    jvm: Any = spark._jvm
    state: Any = spark._jsparkSession.sessionState()
    written = state.sqlParser().parsePlan(query)
    act = _first_act(spark, written)
    if act is not None:
        return act
    resolved = state.executePlan(written, jvm.org.apache.spark.sql.execution.CommandExecutionMode.SKIP())
    resolved.assertAnalyzed()
    return _first_act(spark, resolved.analyzed())


class _Kind(NamedTuple):
    """What a class of nodes is: it does more than read, it is a plan, it holds one, it has nothing below it."""

    acts: bool
    plan: bool
    subquery: bool
    leaf: bool


class _Kinds:
    """The kinds of classes. Java is asked once for each: a list of ids in a query is thousands of nodes."""

    def __init__(self, gateway: Any) -> None:
        self._gateway = gateway
        self._kinds: dict[str, _Kind] = {}

    def of(self, node: Any) -> _Kind:
        """Return the kind of a node."""
        name = str(node.getClass().getName())
        if name not in self._kinds:
            self._kinds[name] = self._asked(node)
        return self._kinds[name]

    def _asked(self, node: Any) -> _Kind:
        acts = any(self._is(node, kind) for kind in _ACTS)
        plan, subquery, leaf = (self._is(node, kind) for kind in (_PLAN, _SUBQUERY, _LEAF))
        return _Kind(acts, plan, subquery, leaf and not subquery)

    def _is(self, node: Any, kind: str) -> bool:
        return bool(is_instance_of(self._gateway, node, kind))


def _first_act(spark: SparkSession, plan: Any) -> str | None:
    kinds = _Kinds(spark.sparkContext._gateway)
    return next((str(node.nodeName()) for node, kind in _nodes(kinds, plan) if kind.acts), None)


def _nodes(kinds: _Kinds, node: Any) -> Iterator[tuple[Any, _Kind]]:
    """Yield a node of a plan and all below it: children, expressions, and the plans of subqueries."""
    kind = kinds.of(node)
    yield node, kind
    if kind.leaf:
        return
    below = [node.children(), node.innerChildren()]
    if kind.plan:
        below.append(node.expressions())
    for sequence in below:
        for position in range(sequence.size()):
            yield from _nodes(kinds, sequence.apply(position))
    if kind.subquery:
        yield from _nodes(kinds, node.plan())
