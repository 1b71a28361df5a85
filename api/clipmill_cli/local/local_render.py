"""One local run from manifest to files: check, send local files up, plan, run, fetch, report."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

from clipmill.protocol import CompilationView, Plan, Registration, State
from clipmill.protocol.result_files import RESULT_FILES
from clipmill.spec import Manifest, Quality
from clipmill_cli.local import local_files, manifest_file
from clipmill_cli.local.job_processes import Jobs
from clipmill_cli.local.job_runner import LocalRunner, Tell
from clipmill_cli.local.local_api import OWNER, LocalAPI
from clipmill_cli.local.local_files import LocalFile
from clipmill_cli.local.manifest_file import ManifestError
from clipmill_cli.local.report import Report, report
from clipmill_client.client import Client
from clipmill_client.errors import ClientError, PermanentError

DEFAULT_NAMESPACE = "default"


def prepare(path: Path) -> Callable[[Client], Manifest]:
    """Check a manifest, without any API; what is left to do is sending its local files up.

    Raises ManifestError, for local files too.
    """
    raw = manifest_file.read(path)
    files = local_files.local_files(raw, path.absolute().parent)
    manifest_file.check(local_files.with_media(raw, dict.fromkeys(files, local_files.STAND_IN)))

    def with_files_sent(client: Client) -> Manifest:
        media = {file: _sent(client, file) for file in files}
        return manifest_file.check(local_files.with_media(raw, media))

    return with_files_sent


def _sent(client: Client, file: LocalFile) -> str:
    """The mediaId of a local file, which is in the library then. Raises ManifestError."""
    try:
        return client.upload_media(file.path, file.kind).id
    except PermanentError as error:
        raise ManifestError(f"{file.field}: {error} [{error.code}]") from None


def for_local(made: Manifest) -> Manifest:
    """The same wish of this machine's only user: the owner is another installation's business."""
    spec = made.spec.model_copy(update={"owner": None})
    return made.model_copy(update={"spec": spec})


def as_draft(made: Manifest) -> Manifest:
    """The same timeline, small and fast, under a name of its own."""
    spec = made.spec.model_copy(update={"quality": Quality.DRAFT})
    name = made.metadata.name[:57].rstrip("-") + "-draft"
    metadata = made.metadata.model_copy(update={"name": name})
    return made.model_copy(update={"spec": spec, "metadata": metadata})


def run(
    api: LocalAPI, made: Manifest, *, workers: int, tell: Tell
) -> tuple[CompilationView, dict[str, float]]:
    """Render on this machine; how it ended, and the seconds of each stage."""
    wish = Registration(
        namespace=made.metadata.namespace or DEFAULT_NAMESPACE,
        name=made.metadata.name,
        generation=1,
        owner=OWNER,
        spec=made.spec,
    )
    uid = f"local-{wish.namespace}.{wish.name}"
    jobs = Jobs(api.url, api.state / "jobs")
    runner = LocalRunner(api.operator.operator, jobs, workers=workers, tell=tell)
    view = runner.run(uid, runner.register(uid, wish))
    return view, dict(runner.spent_s)


def writable(out: Path) -> Path:
    """The folder for the results. Raises OSError early, before anything is rendered."""
    out.mkdir(parents=True, exist_ok=True)
    if not os.access(out, os.W_OK):
        raise PermissionError(13, "Permission denied", str(out))
    return out


def leave(client: Client, view: CompilationView, out: Path, spent_s: dict[str, float]) -> Report:
    """Fetch what was made into `out`, and write report.json beside it."""
    started = time.monotonic()
    files = {one.name: _fetched(client, view, one.name, out) for one in view.outputs}
    plan: Plan = client.plan(view.id)
    spent = {**spent_s, "download": time.monotonic() - started} if files else spent_s
    made = report(view, plan, spent_s=spent, files=files)
    text = json.dumps(made, indent=2, ensure_ascii=False)
    (out / "report.json").write_text(text + "\n", encoding="utf-8")
    return made


def files_of(made: Report) -> list[str]:
    """The names of all files left."""
    found = [name for output in made["outputs"] for name in output["files"].values()]
    return [*found, "report.json"]


def _fetched(client: Client, view: CompilationView, name: str, out: Path) -> dict[str, str]:
    output = next(one for one in view.outputs if one.name == name)
    wanted = {"video": f"{name}.{output.container}"}
    wanted |= {file.label: file.name(name) for file in RESULT_FILES if file.media_id(output)}
    for file in wanted.values():
        # A part left by an earlier run belongs to another video.
        (out / f"{file}.part").unlink(missing_ok=True)
        client.download_output(view.id, file, out / file)
    return wanted


def exit_code(view: CompilationView) -> int:
    """0 complete, 3 complete but degraded, 1 anything else."""
    if view.state is not State.SUCCEEDED:
        return 1
    return 3 if view.degraded else 0


def refused_code(error: ClientError) -> int:
    """2 when the API found fault with what was asked, 1 when it failed otherwise."""
    return 2 if error.status == 422 else 1
