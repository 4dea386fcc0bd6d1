"""Compact the tables and expire what nobody needs: see `facesieve.cli.maintain`. Changes no row, touches no image.

    spark-submit --py-files dist/facesieve.zip jobs/maintain.py --config conf/pipeline.toml \
        [--overlay FILE]... [--set section.key=value]... [--apply] [--json]
"""

import sys

from facesieve.cli.commands import run

if __name__ == "__main__":
    sys.exit(run("maintain"))
