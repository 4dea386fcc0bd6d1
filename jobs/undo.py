"""Return every table and the exports to the state before a run: see `facesieve.cli.undo`. Touches no image.

    spark-submit --py-files dist/facesieve.zip jobs/undo.py --config conf/pipeline.toml \
        [--overlay FILE]... [--set section.key=value]... --undo RUN [--json]
"""

import sys

from facesieve.cli import main
from facesieve.cli.undo import add_arguments, undo

if __name__ == "__main__":
    sys.exit(main.ask(undo, __doc__ or "", add_arguments))
