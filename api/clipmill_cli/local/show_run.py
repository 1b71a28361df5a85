"""One episode of a show on this machine: discovered and rendered at once.

The show is stored in the state folder as suspended, so that only `clipmill show run` starts its
episodes, and clips that one has played are not taken again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from clipmill.protocol import TERMINAL_STATES, CompilationView
from clipmill.shows.show_messages import EpisodeReport, EpisodeState, EpisodeView, ShowView
from clipmill.shows.show_spec import ShowManifest
from clipmill.spec import PreviewExtent, Quality
from clipmill_cli.errors import RunError
from clipmill_cli.local import manifest_file
from clipmill_cli.local.embedded_shows import EmbeddedShows
from clipmill_cli.local.job_processes import JobLauncher
from clipmill_cli.local.local_api import LocalAPI
from clipmill_cli.local.local_runner import LocalRunner, OnProgress
from clipmill_client.client import Client

POLL_INTERVAL_S = 0.2


def store_show(user: Client, manifest: ShowManifest) -> ShowView:
    """Create a suspended show in the local API, or bring the stored one up to date.

    Raises:
        RunError: `clipmill serve` runs a show of this name by its schedule.
    """
    name = manifest.metadata.name
    spec = manifest.spec.model_copy(update={"suspend": True, "owner": None})
    stored = next((show for show in user.shows.all() if show.name == name), None)
    if stored is None:
        return user.shows.create(name, spec)
    if not stored.spec.suspend:
        raise RunError(
            f"show {name} of this state folder runs by its schedule, under `clipmill serve`:"
            f" use `clipmill shows run {name}` there, or another --state"
        )
    return user.shows.edit(stored.id, spec)


def discover(
    api: LocalAPI, episode: EpisodeView, *, pause: Callable[[float], None] = time.sleep
) -> EpisodeReport:
    """Run the discover task of an episode, and return what it found.

    Raises:
        ClientError: the API failed or refused a call.
    """
    launcher = JobLauncher(api.url, api.state / "jobs", state=api.state)
    with EmbeddedShows(api.operator.operator, launcher, workers=1):
        while (report := api.user.shows.episode(episode.id)).state is EpisodeState.DISCOVERING:
            pause(POLL_INTERVAL_S)
    return report


def write_manifest(api: LocalAPI, report: EpisodeReport, out: Path) -> Path:
    """Write the manifest of an episode in full quality, so that it can be edited and rendered."""
    spec = api.user.spec(str(report.compilation_id))
    final = spec.model_copy(update={"quality": Quality.FINAL, "preview": PreviewExtent.WHOLE})
    path = out / f"{report.name}.yaml"
    path.write_text(manifest_file.manifest_text(report.name, final), encoding="utf-8")
    return path


def render_episode(
    api: LocalAPI, report: EpisodeReport, *, workers: int, on_progress: OnProgress
) -> tuple[CompilationView, dict[str, float]]:
    """Render the compilation of an episode, unless a run in the same minute has done it.

    Returns:
        The final view of the compilation, and the seconds of each stage.
    """
    operator = api.operator.operator
    active = [a for a in operator.active_compilations() if a.state not in TERMINAL_STATES]
    uid = next((each.uid for each in active if each.id == report.compilation_id), None)
    if uid is None:
        return api.user.compilation(str(report.compilation_id)), {}
    launcher = JobLauncher(api.url, api.state / "jobs", state=api.state)
    runner = LocalRunner(operator, launcher, workers=workers, on_progress=on_progress)
    view = runner.run(uid, operator.plan(uid))
    operator.shows.tick(0)
    return view, dict(runner.spent_s)
