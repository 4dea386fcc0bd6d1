"""Which GPU a worker's TensorFlow uses: the one that Spark assigned to the task, if Spark hands out GPUs."""

from __future__ import annotations

import os
import sys

from pyspark import TaskContext

_RESOURCE = "gpu"
"""Spark's name for it: spark.executor.resource.gpu.amount, spark.task.resource.gpu.amount."""


def claim() -> None:
    """Let this process see only the GPUs of the running task. To be called in a worker before TensorFlow is loaded.

    TensorFlow looks once: a worker that is used again for a task with another GPU stays with its first. Where Spark
    hands out none, nothing changes: TensorFlow sees what the machine has (CUDA_VISIBLE_DEVICES is obeyed).
    """
    task = TaskContext.get()
    assigned = task.resources().get(_RESOURCE) if task is not None else None
    if assigned is not None and "tensorflow" not in sys.modules:
        os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(assigned.addresses)
