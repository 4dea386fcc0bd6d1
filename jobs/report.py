"""Make a static page of a finished run: see `facesieve.assess.report_page.job`. Changes nothing in the lake.

    spark-submit --py-files dist/facesieve.zip jobs/report.py --config conf/pipeline.toml --out DIR \
        [--overlay FILE]... [--set section.key=value]... [--run NAME] [--pictures] [--blur] [--fiftyone] [--json]
"""

import sys

from facesieve.cli.commands import run

if __name__ == "__main__":
    sys.exit(run("report"))
