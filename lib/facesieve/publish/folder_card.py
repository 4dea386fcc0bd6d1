"""README.md beside an export of folders: how Hugging Face `datasets` loads it without being misled by names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from facesieve.publish.splits import SPLITS, TRAIN

_HEAD = """---
configs:
- config_name: default
  data_files:
{files}
---

# Faces, cleaned by facesieve

"""

_CARD = """Each folder is a person. `manifest.csv` has a row for each face.

Load the folder of this file by its path, which follows the list above:

```python
from datasets import load_dataset

faces = load_dataset("FOLDER")
```

Do not load it with `load_dataset("imagefolder", data_dir=...)`.
`imagefolder` takes a person called `val_kilmer` or `dev_patel` for a whole part of the data set.

`datasets` numbers the labels in the order of the names of the folders.
The labels of all other exports of the run stand in the column `label` of `manifest.csv`.
The export `huggingface` has them built in.
"""


def folder_card(splits: Sequence[str]) -> str:
    """Return the text for an export with these splits; without one all images are to train on.

    >>> folder_card([]).splitlines()[5]
    '    path: "*/*"'
    """
    return headed({split: f"{split}/*/*" for split in SPLITS if split in splits} or {TRAIN: "*/*"}, _CARD)


def headed(paths: Mapping[str, str], text: str) -> str:
    """Put before a text what tells `datasets` the files of each split, and the title."""
    files = "\n".join(f'  - split: {split}\n    path: "{path}"' for split, path in paths.items())
    return _HEAD.format(files=files) + text
