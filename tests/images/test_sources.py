from __future__ import annotations

import os
from pathlib import Path

import pytest

from facesieve.core.sections import Images
from facesieve.images.files import FileTree
from facesieve.images.parquet import ParquetSet
from facesieve.images.protocol import Source
from facesieve.images.sources import source


@pytest.mark.parametrize(("form", "kind"), [("files", FileTree), ("parquet", ParquetSet)])
@pytest.mark.parametrize("root", ["some/where", "file:some/where", "s3://bucket/some"])
def test_a_format_names_its_source_and_a_local_root_becomes_absolute(form: str, kind: type[Source], root: str) -> None:
    images = source(Images(root=root, format=form))
    assert isinstance(images, kind)
    assert isinstance(images, FileTree | ParquetSet)
    assert images.root == (root if "://" in root else os.path.join(Path.cwd(), "some/where"))
