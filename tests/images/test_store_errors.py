"""What pyarrow 26 raises for the answers of an S3 server, as recorded from a real one, and what that means."""

from __future__ import annotations

import errno

import pytest

from facesieve.images.store_errors import KeysRefused, Unanswered, in_words, translated

READING = "When reading information for key 'throttle/denied.jpg' in bucket 'timeout': "
HEAD = READING + "AWS Error {} during HeadObject operation: No response body."
GET = "AWS Error {} during GetObject operation: {}"
CURL = "curlCode: 28, Timeout was reached; Details: Too slow"
UNPARSED = "Unable to parse ExceptionName: ExpiredToken Message: The token is old"
EXPIRED = "the keys of the job are refused: expiredtoken: The token is old"


@pytest.mark.parametrize(
    ("text", "meant", "words"),
    [
        (HEAD.format("UNKNOWN (HTTP status 503)"), Unanswered, "HTTP status 503"),
        (HEAD.format("UNKNOWN (HTTP status 429)"), Unanswered, "HTTP status 429"),
        (GET.format("SLOW_DOWN", "Reduce it"), Unanswered, "slow down: Reduce it"),
        (GET.format("SERVICE_UNAVAILABLE", ""), Unanswered, "service unavailable"),
        (GET.format("INTERNAL_FAILURE", "m"), Unanswered, "internal failure: m"),
        (GET.format("NETWORK_CONNECTION", CURL), Unanswered, "network connection: Too slow"),
        (HEAD.format("ACCESS_DENIED"), PermissionError, "access denied"),
        (GET.format("ACCESS_DENIED", "by policy"), PermissionError, "access denied: by policy"),
        (GET.format("NO_SUCH_KEY", "m"), FileNotFoundError, "it does not exist: no such key: m"),
        (GET.format("NO_SUCH_BUCKET", "m"), FileNotFoundError, "there is no such bucket"),
        (GET.format("UNKNOWN (HTTP status 400)", UNPARSED), KeysRefused, EXPIRED),
        (GET.format("INVALID_ACCESS_KEY_ID", "m"), KeysRefused, "invalid access key id: m"),
        (GET.format("SIGNATURE_DOES_NOT_MATCH", "m"), KeysRefused, "signature does not match"),
        (GET.format("REQUEST_TIME_TOO_SKEWED", "m"), KeysRefused, "request time too skewed"),
        (HEAD.format("UNKNOWN (HTTP status 400)"), OSError, "HTTP status 400"),
        (GET.format("[code 136]", "archived"), OSError, "[code 136]: archived"),
        ("google::cloud::Status(UNAVAILABLE: retry policy exhausted)", Unanswered, "UNAVAILABLE"),
        ("google::cloud::Status(PERMISSION_DENIED: no)", PermissionError, "PERMISSION_DENIED"),
        (
            GET.format("INTERNAL_FAILURE", "Failed to flush response stream (eof: 0, bad: 1)"),
            OSError,
            "response stream",
        ),
        ("denied, timeout, slow down: words of nobody", OSError, "words of nobody"),
    ],
)
def test_an_answer_is_the_error_of_python_that_means_the_same(text: str, meant: type[OSError], words: str) -> None:
    problem = translated(OSError(text), "s3://bucket/a")
    assert type(problem) is meant
    assert words in str(problem.strerror)
    assert problem.filename == "s3://bucket/a"
    assert translated(problem, "elsewhere").filename in ("s3://bucket/a", "elsewhere")


def test_errors_with_a_number_keep_their_kind() -> None:
    gone = translated(
        FileNotFoundError(errno.ENOENT, "Path does not exist 'a'. Detail: [errno 2] No such file"), "s3://b/a"
    )
    assert (type(gone), gone.errno, gone.strerror) == (FileNotFoundError, errno.ENOENT, "No such file")
    assert type(translated(OSError(errno.ECONNRESET, "reset"), "hdfs://a")) is Unanswered
    assert type(translated(PermissionError(errno.EACCES, "no"), "hdfs://a")) is PermissionError


def test_words_of_a_local_error_are_its_own() -> None:
    assert in_words(OSError("Failed to open '/a'. Detail: [errno 20] Not a directory")) == "Not a directory"
    assert in_words(OSError(errno.ENOSPC, "No space left on device")) == "No space left on device"
