"""Ids that clusters have ever borne: a new cluster must not take one, and old versions of `clusters` may be expired.

The ids are in the versions of `clusters` that the lake still has. Maintenance notes them in the table `cluster_ids`
before it expires a version. So few versions have to be read, however many runs there were.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from pyspark.sql import DataFrame

from facesieve.core.tables import CLUSTER_IDS, CLUSTERS, ClusterIds, conform
from facesieve.lake.catalog import Lake, Snapshot, Stamp


def borne_ids(lake: Lake) -> ClusterIds:
    """Return every scope and cluster_id that a version of `clusters` has or had; some are there several times."""
    noted = lake.current(CLUSTER_IDS)
    versions = unnoted(lake)
    parts = [lake.read(CLUSTERS, version) for version in versions] if versions else []
    if noted is not None:
        parts.append(lake.read(CLUSTER_IDS, noted))
    return ClusterIds(reduce(DataFrame.unionByName, [conform(part, CLUSTER_IDS) for part in parts]))


def unnoted(lake: Lake) -> Sequence[Snapshot]:
    """Return the versions of `clusters` whose ids are not in `cluster_ids` yet; all where it cannot be known."""
    if lake.current(CLUSTERS) is None:
        return []
    versions = lake.versions(CLUSTERS)
    noted = lake.current(CLUSTER_IDS)
    last = noted.inputs.get(CLUSTERS.name) if noted is not None else None
    places = [place for place, each in enumerate(versions) if last in (each.id, each.version)]
    return versions[places[-1] + 1 :] if places else versions


def note(lake: Lake) -> int:
    """Add to `cluster_ids` what it lacks; return how many ids that are. Nothing is committed where nothing is new."""
    versions = unnoted(lake)
    if not versions:
        return 0
    since = lake.open(CLUSTER_IDS)
    new = borne_ids(lake).distinct().exceptAll(lake.read(CLUSTER_IDS, since).distinct()).coalesce(1).persist()
    stamp = Stamp("", "", {CLUSTERS.name: versions[-1].version})
    lake.append(CLUSTER_IDS, new, stamp, since)
    count = new.count()
    new.unpersist()
    return count
