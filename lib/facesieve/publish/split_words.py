"""Names that Hugging Face `datasets` takes for a part of the data set: `test`, `val_kilmer`, `dev.patel`.

Its ImageFolder looks through all paths for the words of `_WORDS`. If one person's folder has such a name, it takes this
person for the whole validation set, or drops all others. The rule is that of `datasets.data_files` (4.0): a word counts
where it is set apart by one of `-._`, a blank, a digit, or the end of the name. Capital letters are no such word.
"""

from __future__ import annotations

from pyspark.sql import Column

_WORDS = "train|training|validation|valid|dev|val|test|testing|eval|evaluation"
_APART = "[-._ 0-9]"
_FOLDER = f"(^|{_APART})({_WORDS})($|{_APART})"


def is_split_word(name: Column) -> Column:
    """Say whether ImageFolder takes a folder of this name for a part of the data set."""
    return name.rlike(_FOLDER)
