import unicodedata
from collections import Counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from facesieve.publish import file_names

NAMES = st.lists(st.text(alphabet=st.sampled_from("aAé.e\u0301/~%\\\n 0f-ß"), max_size=6), unique=True, max_size=8)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Ann_Li", "Ann_Li"),
        ("..", "%2E%2E"),
        ("../../etc", "%2E.%2F..%2Fetc"),
        ("/", "%2F"),
        ("", "%"),
        (".hidden", "%2Ehidden"),
        ("a\x00\n", "a%00%0A"),
        ("50%", "50%25"),
        ("dot.", "dot%2E"),
        ("张伟", "张伟"),
    ],
)
def test_what_is_unsafe_is_encoded(name: str, expected: str) -> None:
    assert file_names.folder(name, False) == expected


@pytest.mark.parametrize("name", ["x" * 300, "é" * 300, "/" * 300, "_SUCCESS", "manifest.csv", "a~0123456789ABCDEF"])
def test_long_reserved_and_marked_names_get_a_mark(name: str) -> None:
    name_of_folder = file_names.folder(name, False)
    assert name_of_folder[-17] == "~"
    assert len(name_of_folder.encode()) < 255


def test_a_long_file_keeps_its_suffix() -> None:
    assert file_names.file("a/" + "x" * 300 + ".jpg", 1, False) == "x" * 184 + "~0000000000000001.jpg"


def crowded(names: list[str]) -> list[bool]:
    folds = Counter(map(file_names.fold, names))
    return [folds[file_names.fold(name)] > 1 for name in names]


@given(names=NAMES)
@example(["Ann", "ann", "Ann~17239b6e25011033"])
def test_distinct_identities_never_meet(names: list[str]) -> None:
    folders = [file_names.folder(*pair) for pair in zip(names, crowded(names), strict=True)]
    on_disk = {unicodedata.normalize("NFD", name).lower() for name in folders}
    assert len(on_disk) == len(names)
    assert all(name and "/" not in name and not name.startswith(".") for name in folders)


@given(names=NAMES)
@example(["x.jpg", "X.JPG", "x~0000000000000001.jpg", "X~0000000000000001.JPG"])
def test_files_of_one_folder_never_meet(names: list[str]) -> None:
    names = [name for name in names if "/" not in name] * 2  # the same names from another place, too
    files = [file_names.file(name, i, busy) for i, (name, busy) in enumerate(zip(names, crowded(names), strict=True))]
    assert len({unicodedata.normalize("NFD", name).lower() for name in files}) == len(names)
