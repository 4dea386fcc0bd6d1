"""Names by label, out of labels.csv."""

from __future__ import annotations

from pathlib import Path

from facesieve.images.storage import Storage
from facesieve.publish.shards.names import names_by_label


def test_names_stand_in_the_order_of_their_labels_and_are_those_of_the_edition(tmp_path: Path) -> None:
    folder = Storage(str(tmp_path))
    folder.write("labels.csv", b'label,identity,images\n2,"a,b",1\n0,NA,3\n1,007,1\n')
    assert names_by_label(folder, "1") == ("NA", "007", "a,b")
    folder.write("labels.csv", b"label,identity,images\n0,other,1\n")
    assert names_by_label(folder, "2") == ("other",)
