"""Return every table and the exports to the state before a run: see `facesieve.cli.undo`. Touches no image.

    spark-submit --py-files dist/facesieve.zip jobs/undo.py --config conf/pipeline.toml \
        [--overlay FILE]... [--set section.key=value]... --undo RUN [--json]
"""

import sys

from facesieve.cli.commands import run

if __name__ == "__main__":
    sys.exit(run("undo"))
