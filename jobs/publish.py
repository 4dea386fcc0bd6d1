"""One stage of the pipeline: see `facesieve.publish.step`.

    spark-submit --py-files dist/facesieve.zip jobs/publish.py --config conf/pipeline.toml \
        [--overlay FILE]... [--set section.key=value]... [--run NAME] [--full] [--json]
"""

import sys

from facesieve.cli import main
from facesieve.publish.step import publish

if __name__ == "__main__":
    sys.exit(main.main([publish], __doc__ or ""))
