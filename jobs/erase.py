"""Erase a subject from the lake and its exports, and prove it: see `facesieve.erasure.erase`.

    spark-submit --py-files dist/facesieve.zip jobs/erase.py --config conf/pipeline.toml \
        [--overlay FILE]... [--set section.key=value]... \
        (--image-id ID | --uri URI | --prefix TEXT | --identity NAME | --cluster ID | --probe FILE --cosine C)... \
        [--face N] [--confirm DIGEST] [--apply] [--with-source] [--proof FILE] [--by NAME] [--basis TEXT] \
        [--close] [--json]
"""

import sys

from facesieve.cli.commands import run

if __name__ == "__main__":
    sys.exit(run("erase"))
