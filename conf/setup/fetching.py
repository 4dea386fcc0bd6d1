"""Downloads: from a package index or a Maven repository, checked by SHA-256, never executed."""

from __future__ import annotations

import hashlib
import http.client
import os
import re
import ssl
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from digests import check, has_digest, whole
from layout import Layout
from pins import Archive, Jar
from programs import pip, run
from refusal import SetupError

_CERTIFICATES = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE")
_IVY_RESOLVER = "org/apache/ivy/plugins/resolver/IBiblioResolver.class"
_CHUNK = 1 << 20
_SECONDS_WITHOUT_A_BYTE = 60


def source_archive(layout: Layout, pin: Archive) -> Path:
    """Return a source archive of the package index, fetched if it is not in the cache."""
    target = layout.downloads / f"{pin.name}-{pin.version}.tar.gz"
    if not has_digest(target, pin.sha256):
        download(_index_link(layout, pin), pin.sha256, target, f"{pin.name} {pin.version}")
    return target


def wheel(layout: Layout, name: str, what: str) -> Path:
    """Return the one wheel that `NAME.lock` pins, fetched by pip, which checks its digest."""
    folder = layout.downloads / name
    lock = layout.settings / f"{name}.lock"
    pip(layout, what, "download", "--quiet", "--no-deps", "--only-binary", ":all:", "--require-hashes", "-r", lock,
        "-d", folder)  # fmt: skip
    return max(folder.glob("*.whl"), key=lambda file: file.stat().st_mtime)


def jar_url(layout: Layout, jar: Jar) -> str:
    """Return the address of a jar in the Maven repository that FACESIEVE_MAVEN_URL names, else in Ivy's own default.

    Spark ships Ivy, whose compiled default is Maven Central: so the address stands in one place, and it is theirs.
    """
    root = os.environ.get("FACESIEVE_MAVEN_URL") or _ivy_default(layout.spark_jars)
    return f"{root.rstrip('/')}/{jar.path}"


def _ivy_default(spark_jars: Path) -> str:
    for ivy in sorted(spark_jars.glob("ivy-*.jar")):
        with zipfile.ZipFile(ivy) as opened:
            match = re.search(rb"https://[\w./-]+/maven2/", opened.read(_IVY_RESOLVER))
        if match:
            return match.group().decode()
    raise SetupError("Spark's Ivy names no Maven repository: set FACESIEVE_MAVEN_URL and run make setup again.")


def download(url: str, sha256: str, target: Path, what: str) -> None:
    """Fetch a file whose digest is known; it appears under its name only if the digest is right."""
    with whole(target) as out:
        digest = hashlib.sha256()
        for block in _blocks(url, what):
            digest.update(block)
            out.write(block)
        check(digest.hexdigest(), sha256, what)


def fetch(url: str, what: str) -> bytes:
    """Return the bytes behind an address, unchecked: the caller checks them."""
    return b"".join(_blocks(url, what))


def _blocks(url: str, what: str) -> Iterator[bytes]:
    try:
        with urllib.request.urlopen(url, timeout=_SECONDS_WITHOUT_A_BYTE, context=_trust()) as answer:
            missing = int(answer.headers.get("Content-Length") or 0)
            while block := answer.read(_CHUNK):
                missing -= len(block)
                yield block
        if missing > 0:
            raise TimeoutError(f"{missing} bytes are missing")
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError, ValueError) as problem:
        raise SetupError(_unreachable(url, what, problem)) from None


def _trust() -> ssl.SSLContext:
    file = next((os.environ[name] for name in _CERTIFICATES if os.environ.get(name)), None)
    try:
        return ssl.create_default_context(cafile=file)
    except OSError as problem:
        raise SetupError(
            f"The certificates in {file} cannot be read ({problem.strerror or problem}): correct SSL_CERT_FILE, "
            "PIP_CERT or REQUESTS_CA_BUNDLE and run make setup again."
        ) from None


def _unreachable(url: str, what: str, problem: Exception) -> str:
    reason = getattr(problem, "reason", None) or problem
    return (
        f"{what} cannot be fetched from {urlsplit(url).hostname or url} ({reason}): check the network, or name "
        "a mirror that you reach (PIP_INDEX_URL for packages, FACESIEVE_MAVEN_URL for jars), and run make setup again."
    )


def _index_link(layout: Layout, pin: Archive) -> str:
    """Ask unearth, which reads index pages and runs nothing, where the source archive is."""
    command: list[str | Path] = [layout.python, "-m", "unearth", f"{pin.name}=={pin.version}", "--no-binary", "-L"]
    index = os.environ.get("PIP_INDEX_URL") or _configured_index(layout)
    if index:
        command += ["--index-url", index]
    environment = dict(os.environ)
    for name in _CERTIFICATES:
        if name in os.environ:
            environment.setdefault("SSL_CERT_FILE", os.environ[name])
    answer = run(layout, f"{pin.name} {pin.version}", command, environment)
    return answer.split()[0].partition("#")[0]


def _configured_index(layout: Layout) -> str:
    listed = pip(layout, "pip's configuration", "config", "list")
    match = re.search(r"^(?:global|install|download)\.index-url='(.+)'$", listed, re.MULTILINE)
    return match.group(1) if match else ""
