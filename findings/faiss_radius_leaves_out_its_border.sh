#!/usr/bin/env bash
# FAISS' range search leaves out what lies at the radius itself: with a radius of 0 bits it finds no copy of an image.
#
# Expected   A search with radius 4 among perceptual hashes gives all hashes that differ in at most 4 bits, and one with
#            radius 0 the equal ones, as radius_neighbors of scikit-learn does. A cosine of 0.8 finds 0.8.
# Observed   The border is left out: with radius 4 there are at most 3 bits, with radius 0 nothing at all. With inner
#            products the search asks for more than the radius, so a threshold that equals a cosine misses the pair.
# Versions   faiss-cpu 1.13.2, scikit-learn 1.7.2, numpy 2.3.5, Python 3.11
# Source     https://github.com/facebookresearch/faiss/wiki/Special-operations-on-indexes (range search gives all vectors
#            "within a radius"); the header Index.h and an answer in issue 1219 say that the comparison is strict.
#            https://scikit-learn.org/1.7/modules/generated/sklearn.neighbors.NearestNeighbors.html (the border is in).
# For users  Add 1 to a radius in bits, and lower a cosine by the least step of its type (numpy.nextafter).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3.11 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check faiss-cpu==1.13.2 numpy==2.3.5 scikit-learn==1.7.2
cat > "$work/try.py" <<'PY'
import faiss
import numpy as np
from sklearn.neighbors import NearestNeighbors

hashes = np.zeros((3, 8), np.uint8)
hashes[2, 0] = 0b1111  # image 1 is a copy of image 0, image 2 differs in four bits
index = faiss.IndexBinaryFlat(64)
index.add(hashes)
exact = NearestNeighbors(metric="hamming", algorithm="brute").fit(np.unpackbits(hashes, axis=1))
for bits in (0, 4):
    found = index.range_search(hashes[:1], bits)[2]
    within = exact.radius_neighbors(np.unpackbits(hashes[:1], axis=1), bits / 64)[1][0]
    print(f"radius {bits} bits: FAISS {sorted(found.tolist())}, scikit-learn {sorted(within.tolist())}")

faces = np.array([[1, 0], [0.6, 0.8], [0.8, 0.6]], np.float32)
cosines = faiss.IndexFlatIP(2)
cosines.add(faces)
threshold = faces[2, 0].item()
below = float(np.nextafter(np.float32(threshold), np.float32(-1)))
for name, least in (("the cosine", threshold), ("just below", below)):
    print(f"threshold {name}: {sorted(cosines.range_search(faces[:1], least)[2].tolist())}")
PY
(cd "$work" && env/bin/python -W ignore try.py) | tee "$work/seen"
diff "$work/seen" - <<'SEEN'
radius 0 bits: FAISS [], scikit-learn [0, 1]
radius 4 bits: FAISS [0, 1], scikit-learn [0, 1, 2]
threshold the cosine: [0]
threshold just below: [0, 2]
SEEN
echo "As described."
