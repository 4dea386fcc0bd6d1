"""One step: see `facesieve.cluster.step`.

    spark-submit --py-files dist/facesieve.zip jobs/cluster.py --config conf/pipeline.toml \
        [--overlay FILE]... [--set section.key=value]... [--run NAME] [--full] [--json]
"""

import sys

from facesieve.cli.commands import run

if __name__ == "__main__":
    sys.exit(run("cluster"))
