"""One stage of the pipeline: see `facesieve.embed.step`.

    spark-submit --py-files dist/facesieve.zip jobs/embed.py --config conf/pipeline.toml \
        [--overlay FILE]... [--set section.key=value]... [--run NAME] [--full] [--json]
"""

import sys

from facesieve.cli import main
from facesieve.embed.step import embed

if __name__ == "__main__":
    sys.exit(main.main([embed], __doc__ or ""))
