#!/usr/bin/env bash
# A folder of images that `datasets` writes to Parquet is a file without an image, with paths of the maker's machine.
#
# Expected   Dataset.to_parquet of an image folder gives a file that can be sent: the bytes of each image, as
#            push_to_hub writes them, and no path, or that of a file name alone.
# Observed   The column is a struct whose bytes are null and whose path is absolute. The size of the file tells nothing
#            in a small set, and the file loads without a word. The first look fails after the folder has moved.
#            embed_table_storage, of datasets.table, puts the bytes in, and leaves the file names alone.
# Versions   datasets 5.2.0, pyarrow 26.0.1, pillow 12.0.0, Python 3.11
# Source     https://huggingface.co/docs/datasets/package_reference/main_classes#datasets.Dataset.to_parquet
#            ("Exports the dataset to parquet"; embed_external_files of push_to_hub has no counterpart there).
# For users  Look at one row with pyarrow before you pass such a file on. Embed first:
#            ds.with_format("arrow").map(embed_table_storage, batched=True).with_format(None).to_parquet(...)
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3.11 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check datasets==5.2.0 pyarrow==26.0.1 pillow==12.0.0
cat > "$work/try.py" <<'PY'
from pathlib import Path

import pyarrow.parquet as pq
from datasets import disable_progress_bars, load_dataset
from datasets.table import embed_table_storage
from PIL import Image

disable_progress_bars()
for name, grey in (("ann", 0), ("bob", 200)):
    folder = Path("people") / name
    folder.mkdir(parents=True)
    Image.new("L", (8, 8), grey).save(folder / "1.png")


def show(what: str, file: str) -> None:
    for row in pq.read_table(file).to_pylist():
        content, path = row["image"]["bytes"], row["image"]["path"]
        place = "absolute" if path and Path(path).is_absolute() else path
        print(f"{what}: label {row['label']}, bytes {content and len(content) > 50}, path {place}")


people = load_dataset("imagefolder", data_dir="people", split="train")
people.to_parquet("plain.parquet")
show("to_parquet", "plain.parquet")
embedded = people.with_format("arrow").map(embed_table_storage, batched=True).with_format(None)
embedded.to_parquet("embedded.parquet")
show("embedded first", "embedded.parquet")
Path("people").rename("elsewhere")
for file in ("plain.parquet", "embedded.parquet"):
    loaded = load_dataset("parquet", data_files=file, split="train")
    try:
        seen = loaded[1]["image"].getpixel((0, 0))
    except FileNotFoundError as problem:
        seen = type(problem).__name__
    print(f"{file} after the folder has moved: {len(loaded)} rows, the second image is {seen}")
PY
(cd "$work" && HF_HOME="$work/cache" HF_HUB_OFFLINE=1 env/bin/python -W ignore try.py 2> errors) | tee "$work/seen"
diff "$work/seen" - <<'SEEN'
to_parquet: label 0, bytes None, path absolute
to_parquet: label 1, bytes None, path absolute
embedded first: label 0, bytes True, path 1.png
embedded first: label 1, bytes True, path 1.png
plain.parquet after the folder has moved: 2 rows, the second image is FileNotFoundError
embedded.parquet after the folder has moved: 2 rows, the second image is 200
SEEN
echo "As described."
