"""The S3 stand-in of these tests, and the jars with which Spark reads S3 and keeps tables in a JDBC catalog."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from faulty_store import KEYS, FaultyStore, client, serving
from jars import store_jars
from layout import Layout
from refusal import SetupError

from facesieve.images import patience

ROOT = Path(__file__).resolve().parents[2]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is in this folder."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.store)


@pytest.fixture(scope="session")
def server() -> Iterator[FaultyStore]:
    """The server, without a bucket."""
    with serving() as store:
        yield store


@pytest.fixture
def store(server: FaultyStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FaultyStore]:
    """The server as this process sees it: keys are there, no fault happens, and patience ends after three seconds."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv(patience.SECONDS, "3")
    server.fail()
    server.requests.clear()
    yield server
    server.fail()


@pytest.fixture
def bucket(store: FaultyStore, request: pytest.FixtureRequest) -> str:
    """A bucket of the test's own, named for it."""
    name = f"b{abs(hash(request.node.nodeid)):x}"
    client(store.url).create_bucket(Bucket=name)
    return name


@pytest.fixture
def root(store: FaultyStore, bucket: str) -> str:
    """A root in the bucket, as a URI that says where the server is."""
    address = store.url.partition("://")[2]
    return f"s3://{bucket}/faces?endpoint_override={address}&scheme=http&region=us-east-1"


@pytest.fixture(scope="module")
def jars() -> str:
    """The jars of Spark for stores, for `--jars`; the tests that need them skip where no Maven repository answers."""
    try:
        return ",".join(map(str, store_jars(Layout(ROOT))))
    except SetupError as problem:
        pytest.skip(f"the jars of S3 and SQLite cannot be fetched: {problem}")
