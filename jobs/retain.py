"""Erase what nobody needs any more when its days are over: see `facesieve.erasure.retain`.

    spark-submit --py-files dist/facesieve.zip jobs/retain.py --config conf/pipeline.toml \
        [--overlay FILE]... [--set section.key=value]... [--apply] [--proof FILE] [--close] [--json]
"""

import sys

from facesieve.cli.commands import run

if __name__ == "__main__":
    sys.exit(run("retain"))
