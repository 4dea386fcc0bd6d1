#!/usr/bin/env bash
# TensorFlow and Pillow decode one JPEG file to different pixels, unless TensorFlow is asked for the accurate transform.
#
# Expected   Two readers built on the same family of libraries give equal pixels for a plain baseline JPEG.
# Observed   tf.io.decode_jpeg differs from Pillow in two thirds of the values, by up to 5 of 255. With
#            dct_method="INTEGER_ACCURATE" no value differs. tf.io.decode_image has no such argument and always differs.
# Versions   tensorflow-cpu 2.21.0, pillow 12.0.0, numpy 2.3.5, Python 3.11, x86-64
# Source     https://www.tensorflow.org/api_docs/python/tf/io/decode_jpeg (dct_method "", "may change": the fast integer
#            transform of libjpeg-turbo); Pillow uses the accurate one.
# For users  Embeddings of one file differ with the reader. A threshold that was measured with one is not the other's.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3.11 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check tensorflow-cpu==2.21.0 pillow==12.0.0 numpy==2.3.5
cat > "$work/try.py" <<'PY'
import io

import numpy as np
import tensorflow as tf
from PIL import Image

row, column = np.mgrid[0:160, 0:160]
waves = np.sin(column / 9), np.cos(row / 7), np.sin((row + column) / 11)
picture = np.stack([127 + 100 * wave for wave in waves], axis=-1).astype(np.uint8)
file = io.BytesIO()
Image.fromarray(picture).save(file, "JPEG", quality=90)
pillow = np.asarray(Image.open(file)).astype(int)
for name, pixels in (
    ("decode_jpeg, defaults", tf.io.decode_jpeg(file.getvalue())),
    ("decode_image", tf.io.decode_image(file.getvalue())),
    ("decode_jpeg, INTEGER_ACCURATE", tf.io.decode_jpeg(file.getvalue(), dct_method="INTEGER_ACCURATE")),
):
    difference = np.abs(pixels.numpy().astype(int) - pillow)
    print(f"{name}: greatest difference {difference.max()}, values that differ {(difference > 0).mean():.0%}")
PY
TF_CPP_MIN_LOG_LEVEL=3 "$work/env/bin/python" -W ignore "$work/try.py" 2> "$work/errors" | tee "$work/seen"
diff "$work/seen" - <<'SEEN'
decode_jpeg, defaults: greatest difference 5, values that differ 66%
decode_image: greatest difference 5, values that differ 66%
decode_jpeg, INTEGER_ACCURATE: greatest difference 0, values that differ 0%
SEEN
echo "As described."
