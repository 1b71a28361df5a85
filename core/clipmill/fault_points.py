"""Named points at which tests interrupt a program. Without CLIPMILL_FAULT they do nothing.

With it, a program imports `clipmill_faults` at its start. That module is in tests/ only: from an
image, a program with this variable refuses to start.

A point's name is `<program>.<area>.<step>`; steps in the order in which they happen.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping

VARIABLE = "CLIPMILL_FAULT"
# What a child process needs to have the same faults.
VARIABLES = (VARIABLE, "CLIPMILL_FAULT_FOLDER", "PYTHONPATH")
# Steps of an upload in the API and in its sender; <purpose> is an UploadPurpose.
API_UPLOAD_STEPS = (
    "announcing",  # in the transaction
    "announced",  # committed, no reply
    "bytes",  # a part of the body is written
    "inspected",
    "stored",  # the blob is durable, no row names it
    "publishing",  # in the transaction, before its commit
    "published",  # committed, the spooled bytes still exist
    "finished",  # the spooled bytes are deleted, no reply
)
JOB_UPLOAD_STEPS = ("starting", "announced", "chunk", "completed")
# Steps of the operator, each right after the call that it names.
OPERATOR_STEPS = (
    "submission.created",
    "plan.registered",
    "policies.applied",
    "job.created",
    "secret.deleted",  # in place of which one is created
    "secret.created",
    "status.written",
    "shows.ticked",
    "show.registered",
    "show.status.written",
)
PURPOSES = ("clip", "segment", "output", "library")
STAGES = ("fetch", "render", "assemble")
JOB_STEPS = ("claimed", "done", "reported")
POINTS = frozenset(
    (
        *(f"api.upload.{p}.{step}" for p in PURPOSES for step in API_UPLOAD_STEPS),
        *(f"job.upload.{p}.{step}" for p in PURPOSES for step in JOB_UPLOAD_STEPS),
        *(f"job.{stage}.{step}" for stage in STAGES for step in JOB_STEPS),
        *(f"job.discover.{step}" for step in JOB_STEPS),
        "api.claim.claimed",
        "api.result.recording",
        "api.result.recorded",
        "api.notification.sent",
        *(f"operator.{step}" for step in OPERATOR_STEPS),
        "serve.operator.reconciling",
        "serve.operator.rendering",
    )
)

_inject: Callable[[str], None] | None = None


def reach(point: str) -> None:
    """Do what a test has planned for this point, if anything."""
    if _inject is not None:
        _inject(point)


def load(environ: Mapping[str, str]) -> None:
    """Load the fault injector if CLIPMILL_FAULT is set.

    Raises:
        InvalidSettings: There is no injector, as in an image.
    """
    global _inject  # noqa: PLW0603  one process has one injector
    if not environ.get(VARIABLE):
        return
    try:
        injector = importlib.import_module("clipmill_faults")
    except ImportError:
        # Here, because the SDK is installed without pydantic-settings.
        from clipmill.environment import InvalidSettings  # noqa: PLC0415

        raise InvalidSettings(f"{VARIABLE} is set, but this program is not under test") from None
    _inject = injector.injector(environ)


def variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that give a child process the same faults; none outside of tests."""
    if not environ.get(VARIABLE):
        return {}
    return {name: environ[name] for name in VARIABLES if name in environ}
