"""A source whose uris are hidden: workers open what they stand for, and identities come of the real paths."""

from __future__ import annotations

import pickle
from pathlib import Path

from pyspark.sql import SparkSession

from facesieve.core.hidden_paths import PathSeal
from facesieve.core.sections import Images
from facesieve.images.hidden.hidden_source import hidden_source, of_hidden
from facesieve.images.identity import identity_rule
from facesieve.images.sources import source

SEAL = PathSeal(b"k" * 32)


def test_images_bear_hidden_uris_by_which_they_are_fetched(spark: SparkSession, tmp_path: Path) -> None:
    for name in ("Ann/1.jpg", "Bob/2.jpg", "note.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    settings = Images(root=str(tmp_path))
    origin = source(settings)
    hidden = hidden_source(origin, SEAL)
    hidden.check()
    uris = sorted(row.uri for row in hidden.images(spark).collect())
    assert sorted(map(SEAL.show, uris)) == ["Ann/1.jpg", "Bob/2.jpg"]
    assert not any("Ann" in uri or "/" in uri for uri in uris)
    fetch = pickle.loads(pickle.dumps(hidden.fetch()))
    assert {fetch(uri) for uri in uris} == {b"Ann/1.jpg", b"Bob/2.jpg"}
    assert fetch("Ann/1.jpg") == b"Ann/1.jpg", "a uri that was shown for an export"
    rule = of_hidden(identity_rule(settings), SEAL)
    assert {rule(uri, None) for uri in uris} == {"Ann", "Bob"}
    assert rule(None, None) is None
    same = (hidden.carries_content, hidden.rows(), hidden.count(spark), hidden.state(spark), hidden.ignored(spark))
    assert same == (False, origin.rows(), 2, origin.state(spark), origin.ignored(spark))
    assert hidden_source(origin, None) is origin
