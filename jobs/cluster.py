"""One stage of the pipeline: see `facesieve.verbs.cluster`.

    spark-submit --py-files dist/facesieve.zip jobs/cluster.py --config conf/pipeline.toml \
        [--overlay FILE]... [--set section.key=value]... [--run NAME] [--full] [--json]
"""

import sys

from facesieve import runner
from facesieve.verbs.cluster import cluster

if __name__ == "__main__":
    sys.exit(runner.main([cluster], __doc__ or ""))
