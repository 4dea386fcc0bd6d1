"""Who is who on the page, with names and without."""

from __future__ import annotations

import pytest
from reported import ANN, BOB, SCRIPT, Reported

from facesieve.assess.report_page.contents import Frames
from facesieve.assess.report_page.contract import Group, Image
from facesieve.assess.report_page.directory import Directory, Facts, Wanted, facts_of, images_of, uris_of
from facesieve.assess.report_page.run_tables import RunTables

NUMBERED = Facts("folder", SCRIPT, None, 3, 5, 7)


@pytest.mark.parametrize(("named", "label", "name"), [(False, "folder 3", None), (True, SCRIPT, "<script>/0.jpg")])
def test_names_are_shown_only_where_they_may_be(named: bool, label: str, name: str | None) -> None:
    directory = Directory(named, {SCRIPT: NUMBERED}, {}, {7: -1}, {-1: "<script>/0.jpg"}, frozenset({"f3"}), {-1: "p"})
    assert directory.folder(SCRIPT) == Group("f3", label, "group-f3", 5, named)
    assert directory.face(7) == Image("-1", "7", name, "p")
    assert (directory.folder("nobody"), directory.folder(None), directory.face(8), directory.image(None)) == (
        None,
        None,
        None,
        None,
    )


def test_only_what_is_wanted_is_collected(shared: Frames, run: RunTables, world: Reported) -> None:
    wanted = Wanted()
    wanted.add_group(ANN, 40)
    wanted.add_group(None, None)
    wanted.add(images=(None, world.image[BOB, 0]), faces=(world.face[BOB, 1], None))
    folders, clusters = facts_of(shared.groups, wanted)
    assert (set(folders), set(clusters), folders[ANN].medoid) == ({ANN}, {40}, world.face[ANN, 0])
    assert images_of(run, wanted.faces) == {world.face[BOB, 1]: world.image[BOB, 1]}
    assert uris_of(run, wanted.images) == {world.image[BOB, 0]: f"{BOB}/0.jpg"}
    assert images_of(run, ()) == {}
