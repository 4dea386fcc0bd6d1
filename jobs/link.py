"""One stage of the pipeline: see `facesieve.verbs.link`.

    spark-submit --py-files dist/facesieve.zip jobs/link.py --config conf/pipeline.toml \
        [--overlay FILE]... [--set section.key=value]... [--run NAME] [--full] [--json]
"""

import sys

from facesieve import runner
from facesieve.verbs.link import link

if __name__ == "__main__":
    sys.exit(runner.main([link], __doc__ or ""))
