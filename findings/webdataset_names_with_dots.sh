#!/usr/bin/env bash
# Images of a person whose name holds a dot become one sample of a WebDataset shard, and lose their type.
#
# Expected   A tar with four JPEG files gives four samples. Each has a field jpg.
# Observed   The key ends at the first dot of the file's name. So both files of J.K._Rowling share the key
#            J.K._Rowling/J, and Ann_0001.jpg and Ann_0001.5.jpg are one sample. Four images are two samples.
#            Only one of them has a field jpg. Nothing is reported by the plain reader.
# Versions   webdataset 1.0.2, Python 3.11
# Source     https://github.com/webdataset/webdataset (README, "The WebDataset Format"): files are grouped by their
#            name up to the first dot of the last component.
# For users  Names of people and cameras hold dots. Write shards with keys that hold none (an id, for example).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3.11 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check webdataset==1.0.2 pillow==13.0.0
cat > "$work/try.py" <<'PY'
import io
import sys
import tarfile

import webdataset
from PIL import Image

NAMES = (
    "J.K._Rowling/J.K._Rowling_0001.jpg",
    "J.K._Rowling/J.K._Rowling_0002.jpg",
    "Ann/Ann_0001.jpg",
    "Ann/Ann_0001.5.jpg",
)
shard = f"{sys.argv[1]}/shard-000000.tar"
with tarfile.open(shard, "w") as tar:
    for number, name in enumerate(NAMES):
        content = io.BytesIO()
        Image.new("RGB", (32, 32), (number * 60, 0, 0)).save(content, "JPEG")
        member = tarfile.TarInfo(name)
        member.size = content.tell()
        content.seek(0)
        tar.addfile(member, content)
print(f"{len(NAMES)} images written")
for sample in webdataset.WebDataset(shard, shardshuffle=False):
    print(sample["__key__"], sorted(field for field in sample if not field.startswith("__")))
PY
"$work/env/bin/python" -W ignore "$work/try.py" "$work" | tee "$work/seen"
diff "$work/seen" - <<'SEEN'
4 images written
J.K._Rowling/J ['k._rowling_0001.jpg', 'k._rowling_0002.jpg']
Ann/Ann_0001 ['5.jpg', 'jpg']
SEEN
echo "As described."
