#!/usr/bin/env bash
# One person's folder name decides which images of all people Hugging Face `datasets` loads.
#
# Expected   load_dataset("imagefolder", data_dir=...) on three folders of three images gives nine images and three labels,
#            whatever the people are called.
# Observed   A folder whose name holds train, test, dev, valid or eval between separators is taken for a split. All images
#            of all other people are left out. No label, no warning and no error remains.
# Versions   datasets 5.2.0, pillow 13.0.0, Python 3.11
# Source     https://huggingface.co/docs/datasets/repository_structure says that split names are found in paths. It does
#            not say that files without such a name are then dropped.
# For users  A folder called dev_patel hides every other person. Write a metadata.csv or explicit data_files.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3.11 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check datasets==5.2.0 pillow==13.0.0
cat > "$work/try.py" <<'PY'
import sys
from pathlib import Path

import datasets
from PIL import Image

datasets.disable_progress_bars()


def loaded(root: Path, people: list[str]) -> str:
    for number, person in enumerate(people):
        folder = root / "images" / person
        folder.mkdir(parents=True)
        for image in range(3):
            Image.new("RGB", (16, 16), (number * 60, image * 60, 0)).save(folder / f"{image:04d}.jpg")
    splits = datasets.load_dataset("imagefolder", data_dir=str(root / "images"), cache_dir=str(root / "cache"))
    parts = [f"{len(rows)} images as {name}, labels {'label' in rows.features}" for name, rows in splits.items()]
    return f"{', '.join(people)}: {'; '.join(parts)}"


root = Path(sys.argv[1])
for number, last in enumerate(("cleo", "dev_patel", "eva_test", "dev.anand", "Dev Patel")):
    print(loaded(root / str(number), ["ann", "bob", last]))
PY
HF_HUB_OFFLINE=1 HF_HUB_DISABLE_TELEMETRY=1 "$work/env/bin/python" -W ignore "$work/try.py" "$work" 2> "$work/errors" | tee "$work/seen"
diff "$work/seen" - <<'SEEN'
ann, bob, cleo: 9 images as train, labels True
ann, bob, dev_patel: 3 images as validation, labels False
ann, bob, eva_test: 3 images as test, labels False
ann, bob, dev.anand: 3 images as validation, labels False
ann, bob, Dev Patel: 9 images as train, labels True
SEEN
echo "As described."
