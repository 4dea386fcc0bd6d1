"""The export `huggingface`: Parquet files that Hugging Face `datasets` loads, with pictures and names of labels."""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql import Column
from pyspark.sql import functions as F

from facesieve.images.storage import Storage
from facesieve.publish.exports import cleared, complete, whole_file
from facesieve.publish.folder_card import headed
from facesieve.publish.shards.exporting import Export, by_split, write_manifest, write_samples
from facesieve.publish.shards.image_struct import ParquetForm
from facesieve.publish.splits import SPLITS, TRAIN

_CARD = """Load the folder of this file:

```python
from datasets import load_dataset

faces = load_dataset("FOLDER")
```

`label` is a ClassLabel: its names are the identities, its numbers those of all exports of the run.
"""


def export_huggingface(export: Export, target: Storage) -> int:
    """Write the images below `target` (the run's folder) as huggingface/data/<split>-<k>-of-<n>.parquet.

    The column image is a struct of bytes and path, label a ClassLabel whose names stand in the metadata of each file
    and are those of `target`/labels.csv. With them come README.md (which names the files of each split), manifest.csv
    and _SUCCESS. Returns the rows of the table. Raises ContractError if files vanished or changed.
    """
    folder = cleared(target, "huggingface")
    rows = export.numbered()
    shards = export.shards(rows)
    form = ParquetForm(target, export.edition, export.suffix)
    if shards:
        path = _path(shards)
        write_samples(rows, path, export, form, folder)
    else:
        path = F.lit("")
        with whole_file(folder, f"data/{TRAIN}-00000-of-00001.parquet") as file, form(file, ""):
            shards = {TRAIN: 1}
    folder.write("README.md", _card(shards).encode("utf-8"))
    written = write_manifest(rows, path, folder)
    rows.unpersist()
    complete(folder, export.edition)
    return written


def _path(shards: Mapping[str, int]) -> Column:
    return by_split(
        {
            split: F.format_string(f"data/{split}-%05d-of-{count:05d}.parquet", "shard")
            for split, count in shards.items()
        }
    )


def _card(shards: Mapping[str, int]) -> str:
    return headed({split: f"data/{split}-*" for split in SPLITS if split in shards}, _CARD)
