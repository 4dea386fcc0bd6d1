"""One step: see `facesieve.decide.step`.

    spark-submit --py-files dist/facesieve.zip jobs/decide.py --config conf/pipeline.toml \
        [--overlay FILE]... [--set section.key=value]... [--run NAME] [--full] [--json]
"""

import sys

from facesieve.cli.commands import run

if __name__ == "__main__":
    sys.exit(run("decide"))
