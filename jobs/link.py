"""One stage of the pipeline: see `facesieve.link.step`.

    spark-submit --py-files dist/facesieve.zip jobs/link.py --config conf/pipeline.toml \
        [--overlay FILE]... [--set section.key=value]... [--run NAME] [--full] [--json]
"""

import sys

from facesieve.cli import main
from facesieve.link.step import link

if __name__ == "__main__":
    sys.exit(main.main([link], __doc__ or ""))
