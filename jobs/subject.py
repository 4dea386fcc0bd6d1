"""What is held about a person, for a request of access: see `facesieve.erasure.access.job`. Changes nothing.

    spark-submit --py-files dist/facesieve.zip jobs/subject.py --config conf/pipeline.toml \
        [--overlay FILE]... [--set section.key=value]... \
        (--image-id ID | --uri URI | --prefix TEXT | --identity NAME | --cluster ID | --probe FILE --cosine C)... \
        [--face N] [--confirm DIGEST] --out DIR [--json]
"""

import sys

from facesieve.cli.commands import run

if __name__ == "__main__":
    sys.exit(run("subject"))
