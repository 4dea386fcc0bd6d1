#!/usr/bin/env bash
# Pillow refuses a JPEG that lacks only its end marker, and decodes one of which half is missing.
#
# Expected   The file whose rows are all there can be read. The file without its lower half raises an error.
# Observed   It is the other way round: the end marker alone decides. Half a file with an end marker gives grey rows
#            without an error. A whole file without it raises OSError, although six bytes of any bits behind the data
#            are enough to decode every row: the decoder only reads ahead.
# Versions   pillow 12.0.0, numpy 2.3.5, Python 3.11
# Source     https://pillow.readthedocs.io/en/stable/reference/ImageFile.html (LOAD_TRUNCATED_IMAGES is said to be what
#            decides whether truncated files are loaded)
# For users  Catching OSError finds no copies that were cut and closed again, as cameras and recovery tools leave them.
#            Ask how many rows were decoded.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3.11 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check pillow==12.0.0 numpy==2.3.5
cat > "$work/try.py" <<'PY'
import io

import numpy as np
from PIL import Image

END = b"\xff\xd9"
row, column = np.mgrid[0:160, 0:160]
waves = np.sin(column / 9), np.cos(row / 7), np.sin((row + column) / 11)
file = io.BytesIO()
Image.fromarray(np.stack([127 + 100 * wave for wave in waves], axis=-1).astype(np.uint8)).save(file, "JPEG", quality=90)
whole = file.getvalue()
pixels = np.asarray(Image.open(file))


def report(name: str, content: bytes) -> None:
    try:
        decoded = np.asarray(Image.open(io.BytesIO(content)))
    except OSError as problem:
        print(f"{name}: {type(problem).__name__}, {str(problem).partition('(')[0].strip()}")
    else:
        print(f"{name}: decoded, {(decoded == pixels).all(axis=(1, 2)).sum()} of 160 rows are right")


assert whole.endswith(END)
report("whole", whole)
report("without the end marker", whole[:-2])
report("half, with an end marker", whole[: len(whole) // 2] + END)
report("six bytes in place of the end marker", whole[:-2] + b"\x7f" * 6)
PY
"$work/env/bin/python" "$work/try.py" | tee "$work/seen"
diff "$work/seen" - <<'SEEN'
whole: decoded, 160 of 160 rows are right
without the end marker: OSError, image file is truncated
half, with an end marker: decoded, 63 of 160 rows are right
six bytes in place of the end marker: decoded, 160 of 160 rows are right
SEEN
echo "As described."
