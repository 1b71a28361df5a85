"""A local render: register the manifest, run its jobs, and derive the exit code."""

from __future__ import annotations

import time

from clipmill.protocol import CompilationState, CompilationView, Registration
from clipmill.spec import Manifest
from clipmill_cli.local.job_processes import JobLauncher
from clipmill_cli.local.job_starts.fork_server import ForkServer
from clipmill_cli.local.local_api import LOCAL_OWNER, LocalAPI
from clipmill_cli.local.local_runner import LocalRunner, OnProgress, register
from clipmill_cli.output.progress import LiveProgress
from clipmill_client import watching
from clipmill_client.client import Client

DEFAULT_NAMESPACE = "default"
# An API may be away for so long, such as while its node is replaced.
OUTAGE_S = 300.0
EXIT_SUCCEEDED, EXIT_FAILED, EXIT_DEGRADED = 0, 1, 3


def render(
    api: LocalAPI,
    manifest: Manifest,
    on_progress: OnProgress,
    *,
    workers: int,
    fork_server: ForkServer | None = None,
) -> tuple[CompilationView, dict[str, float]]:
    """Render a manifest on this machine.

    Args:
        api: The API.
        manifest: A Compilation.
        on_progress: Called with each view of the compilation.
        workers: Number of tasks at a time.
        fork_server: Process to fork jobs from.

    Returns:
        The final view of the compilation, and the seconds of each stage.
    """
    registration = Registration(
        namespace=manifest.metadata.namespace or DEFAULT_NAMESPACE,
        name=manifest.metadata.name,
        generation=1,
        owner=LOCAL_OWNER,
        spec=manifest.spec,
    )
    uid = f"local-{registration.namespace}.{registration.name}"
    operator = api.operator.operator
    launcher = JobLauncher(api.url, api.state / "jobs", state=api.state, fork_server=fork_server)
    runner = LocalRunner(operator, launcher, workers=workers, on_progress=on_progress)
    view = runner.run(uid, register(operator, uid, registration))
    return view, dict(runner.spent_s)


def render_by_serve(
    client: Client, manifest: Manifest, progress: LiveProgress
) -> tuple[CompilationView, dict[str, float]]:
    """Let a running `clipmill serve` render a manifest. Returns what `render` returns."""
    view = client.create(manifest)
    started = time.monotonic()
    view = follow_through_outages(client, view.id, progress)
    return view, {"serve": time.monotonic() - started}


def follow_through_outages(
    client: Client, compilation_id: str, progress: LiveProgress
) -> CompilationView:
    """Show the progress of a compilation until it ends, while the API is restarted too.

    Raises:
        RetryableError: The API was away for OUTAGE_S.
    """
    return watching.follow(
        client, compilation_id, progress, on_outage=progress.outage, outage_limit_s=OUTAGE_S
    )


def exit_code(view: CompilationView) -> int:
    """Return the exit code of a compilation in its final state."""
    if view.state is not CompilationState.SUCCEEDED:
        return EXIT_FAILED
    return EXIT_DEGRADED if view.degraded else EXIT_SUCCEEDED
