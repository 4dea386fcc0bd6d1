"""The note beside folders: what it says of splits."""

from __future__ import annotations

from facesieve.publish.folder_card import folder_card


def test_the_note_names_the_folders_of_each_split_there_is() -> None:
    assert 'split: train\n    path: "*/*"' in folder_card([])
    card = folder_card(["test", "train"])
    assert 'split: train\n    path: "train/*/*"\n  - split: test\n    path: "test/*/*"\n---' in card
    assert "validation" not in card
