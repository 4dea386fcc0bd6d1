"""facesieve each night by Airflow 3: the command of the documentation, and who is called when it fails.

Copy this file into Airflow's folder of DAGs. The connection `spark_cluster` names the master, for example `yarn`, which
was not tried.

What the worker that submits needs:

- the project at PROJECT, with `make setup build pack` done there, and `spark-submit`
- /etc/facesieve/site.toml: begin with the example beside this file
- the folder /var/lib/facesieve/metrics, which the worker's user may write
- in its own environment FACESIEVE_MODELS=/shared/models; the model file is there on every node too
- for YARN the cluster's own settings, and HADOOP_CONF_DIR=/etc/hadoop/conf

What else is yours: the catalog, the connection and the time zone; see docs/operations.md.

The deploy mode is `client`: then spark-submit ends with the exit code of the job. YARN's mode `cluster` tells success
and failure alone, so that code 3 could not be told from 1.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pendulum
from airflow.providers.apache.spark.operators.spark_submit import SparkSubmitOperator
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowException, AirflowFailException

PROJECT = "/opt/facesieve"
NEVER_AGAIN = {2: "the configuration or the input is wrong", 3: "the run was refused for safety: a person should look"}
"""Exit codes after which the same command would end the same way. After code 1 it goes on where it stopped."""


class SieveOperator(SparkSubmitOperator):  # type: ignore[misc]
    """SparkSubmitOperator that fails for good where trying again helps nobody."""

    def execute(self, context: Any) -> None:
        """Submit; raise AirflowFailException, which Airflow does not retry, for the codes of NEVER_AGAIN."""
        try:
            super().execute(context)
        except AirflowException as problem:
            # The hook tells the exit code in its message alone: spark-submit's, and on Kubernetes the pod's.
            codes = {int(code) for code in re.findall(r"(?:Error code|exit code) is: (\d+)", str(problem))}
            for code in sorted(codes & NEVER_AGAIN.keys()):
                raise AirflowFailException(f"exit code {code}: {NEVER_AGAIN[code]}") from problem
            raise


with DAG(
    "facesieve",
    # Half past three is there once in every night: two o'clock is not, where the clocks change.
    schedule="30 3 * * *",
    start_date=pendulum.datetime(2026, 1, 1, tz="Europe/Berlin"),
    catchup=False,
    max_active_runs=1,
    doc_md=__doc__,
) as dag:
    SieveOperator(
        task_id="sieve",
        conn_id="spark_cluster",
        deploy_mode="client",
        name="facesieve",
        properties_file=f"{PROJECT}/conf/spark/cluster.conf",
        archives=f"{PROJECT}/dist/facesieve-env.tar.gz#env",
        py_files=f"{PROJECT}/dist/facesieve.zip",
        # Not env_vars: on YARN and Kubernetes the hook gives these to the application's master, not to this process.
        conf={
            "spark.pyspark.python": "./env/bin/python",
            "spark.pyspark.driver.python": f"{PROJECT}/.venv/bin/python",
            "spark.driver.extraJavaOptions": f"-Dlog4j2.configurationFile={PROJECT}/conf/spark/log4j2.properties",
            "spark.driver.memory": "4g",
            # Each of the two tasks has a Python worker with TensorFlow and a decoder process, beside the JVM.
            "spark.executor.cores": "2",
            "spark.executor.memory": "2g",
            "spark.executor.memoryOverhead": "4g",
            "spark.sql.catalog.prod": "org.apache.iceberg.spark.SparkCatalog",
            "spark.sql.catalog.prod.type": "rest",
            "spark.sql.catalog.prod.uri": "https://catalog.example.com",
        },
        application=f"{PROJECT}/jobs/sieve.py",
        application_args=[
            *("--config", f"{PROJECT}/conf/pipeline.toml"),
            *("--overlay", "/etc/facesieve/site.toml"),
            *("--metrics", "/var/lib/facesieve/metrics/facesieve.prom"),
            *("--log-format", "json", "--json"),
        ],
        retries=2,
        retry_delay=timedelta(minutes=15),
    )
