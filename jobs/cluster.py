"""One stage of the pipeline: see `facesieve.cluster.step`.

    spark-submit --py-files dist/facesieve.zip jobs/cluster.py --config conf/pipeline.toml \
        [--overlay FILE]... [--set section.key=value]... [--run NAME] [--full] [--json]
"""

import sys

from facesieve.cli import main
from facesieve.cluster.step import cluster

if __name__ == "__main__":
    sys.exit(main.main([cluster], __doc__ or ""))
