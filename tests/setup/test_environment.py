"""The environment of a shell: what it sets for one machine, and what it leaves to whoever has set it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("variables", "address"),
    [({}, "127.0.0.1"), ({"SPARK_LOCAL_IP": ""}, "127.0.0.1"), ({"SPARK_LOCAL_IP": "10.0.0.5"}, "10.0.0.5")],
)
def test_the_address_of_a_driver_that_other_hosts_call_stays(variables: dict[str, str], address: str) -> None:
    bare = {name: value for name, value in os.environ.items() if name != "SPARK_LOCAL_IP"}
    asked = ["sh", "-c", '. conf/setup/environment.sh && echo "$SPARK_LOCAL_IP"']
    done = subprocess.run(asked, cwd=ROOT, env=bare | variables, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == address
