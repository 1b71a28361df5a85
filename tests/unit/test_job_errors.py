"""How a task's error becomes an exit code and a report."""

import pytest

from clipmill.protocol import ExitCode
from clipmill_client.errors import ClientError, PermanentError, RetryableError
from clipmill_job.errors import (
    LeaseLostError,
    NotIsolatedError,
    NvencError,
    exit_code,
    is_lease_lost,
    task_failure,
)

CASES: list[tuple[ClientError, int]] = [
    (RetryableError("SourceFailed", "503"), ExitCode.RETRY),
    (NvencError("RenderFailed", "no device"), ExitCode.RETRY),
    (PermanentError("Truncated", "half a file"), ExitCode.GIVE_UP),
    (NotIsolatedError("reaches the database"), ExitCode.NOT_ISOLATED),
    (LeaseLostError("Stopped", "superseded"), ExitCode.LEASE_LOST),
    (PermanentError("LeaseLost", "another epoch", status=409), ExitCode.LEASE_LOST),
    (PermanentError("Ended", "the revision has ended", status=409), ExitCode.LEASE_LOST),
    (PermanentError("Unauthorized", "the key is revoked", status=401), ExitCode.LEASE_LOST),
]


@pytest.mark.parametrize(("error", "code"), CASES)
def test_exit_code(error: ClientError, code: int) -> None:
    """Each kind of error has its exit code; refusals of a lost lease count as such."""
    assert exit_code(error) == code
    assert is_lease_lost(error) == (code == ExitCode.LEASE_LOST)
    assert task_failure(error).permanent == (code != ExitCode.RETRY)


def test_a_failure_fits_the_protocol() -> None:
    """Code and message are cut to the lengths that the API accepts."""
    failure = task_failure(RetryableError("C" * 99, "m" * 999))
    assert (len(failure.code), len(failure.message)) == (60, 500)
