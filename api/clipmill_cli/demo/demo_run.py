"""`./run demo`: generate clips, serve them, fetch and render them, and show the result.

clips -> web server on loopback -> plan -> fetch and assemble by real jobs -> videos, report
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import yaml
from rich.console import Console

from clipmill.protocol import ClipState, CompilationState, CompilationView, MediaKind
from clipmill.spec import Manifest
from clipmill_cli.demo import clip_recipes, demo_manifests
from clipmill_cli.demo.clip_recipes import CLIPS, INTRO, OUTRO, SWOOSH
from clipmill_cli.demo.clip_server import DemoServer, running_clip_server
from clipmill_cli.endpoints.connections import interruptible
from clipmill_cli.local import local_render, result_folder
from clipmill_cli.local.local_api import LocalAPI, SourceAccess
from clipmill_cli.local.run_report import total_segments
from clipmill_cli.output import terminal
from clipmill_cli.output.failures import fault_of, print_errors
from clipmill_cli.output.plan_tables import show_plan
from clipmill_cli.output.progress import LiveProgress
from clipmill_cli.output.summary import show_summary
from clipmill_client.client import Client

ASSETS = ((INTRO, MediaKind.INTRO), (OUTRO, MediaKind.OUTRO), (SWOOSH, MediaKind.TRANSITION))
WORKERS = 2


@dataclass(frozen=True, slots=True)
class DemoFolder:
    """The paths below the demo's folder."""

    root: Path

    @property
    def clips(self) -> Path:
        """Clips that the web server serves."""
        return self.root / "clips"

    @property
    def state(self) -> Path:
        """Database, media and keys."""
        return self.root / "state"

    @property
    def out(self) -> Path:
        """Finished videos."""
        return self.root / "out"

    @property
    def manifest(self) -> Path:
        """Manifest of the demo's video."""
        return self.root / "demo.yaml"

    @property
    def reordered(self) -> Path:
        """Manifest of the same clips in another order."""
        return self.root / "reordered.yaml"


def run_demo(folder: DemoFolder, out: Console, err: Console) -> int:
    """Run the demo and return its exit code."""
    started = time.monotonic()
    generated = clip_recipes.generate(folder.clips)
    existing = len(clip_recipes.ALL) - generated
    heading = f"1. Clips: {generated} generated, {existing} reused, in {folder.clips}/"
    out.print(heading, style="bold")
    result_folder.create_writable(folder.out)
    with running_clip_server(folder.clips, _previous_port(folder.manifest)) as server:
        access = SourceAccess(private_addresses=(server.address,))
        with LocalAPI(folder.state, access, on_wait=err.print) as api:
            view = _render(api, folder, server, out, err)
    if view.state is not CompilationState.SUCCEEDED:
        return 1
    _show_end(out, folder, view, server, time.monotonic() - started)
    return 0


def _previous_port(manifest: Path) -> int:
    """Return the port in an earlier manifest, so that the clips keep their URLs, or 0."""
    try:
        url = yaml.safe_load(manifest.read_text())["spec"]["clips"][0]["url"]
        return urlsplit(url).port or 0
    except (OSError, ValueError, LookupError, TypeError, yaml.YAMLError):
        return 0


def _render(
    api: LocalAPI, folder: DemoFolder, server: DemoServer, out: Console, err: Console
) -> CompilationView:
    asset_ids = _upload_assets(api.user, folder.clips)
    manifest = _write_demo_manifest(folder, server, asset_ids)
    out.print(f"\n2. Plan of {folder.manifest}", style="bold")
    show_plan(out, api.user.dry_run(manifest))
    out.print("\n3. Fetch (yt-dlp), render and assemble (ffmpeg)", style="bold")
    with LiveProgress(err) as progress:
        view, spent_s = local_render.render(api, manifest, workers=WORKERS, on_progress=progress)
    result_folder.download_results(api.user, view, folder.out, spent_s)
    show_summary(out, view)
    reordered = demo_manifests.reordered_manifest(view.clips, asset_ids)
    demo_manifests.write_manifest(folder.reordered, demo_manifests.REORDERED_COMMENT, reordered)
    return view


def _upload_assets(client: Client, clips: Path) -> dict[str, str]:
    """Upload intro, outro and transition clip; return their media ids by name."""
    return {
        recipe.name: client.upload_media(clip_recipes.path_of(clips, recipe), kind).id
        for recipe, kind in ASSETS
    }


def _write_demo_manifest(
    folder: DemoFolder, server: DemoServer, asset_ids: dict[str, str]
) -> Manifest:
    urls = {recipe.name: server.url(clip_recipes.path_of(folder.clips, recipe)) for recipe in CLIPS}
    manifest = demo_manifests.demo_manifest(urls, asset_ids)
    return demo_manifests.write_manifest(folder.manifest, demo_manifests.DEMO_COMMENT, manifest)


def _show_end(
    out: Console, folder: DemoFolder, view: CompilationView, server: DemoServer, spent_s: float
) -> None:
    out.print(f"\n4. Finished in {spent_s:.0f} s", style="bold")
    lines = [_reuse_text(view, server)]
    skipped = [clip.name for clip in view.clips if clip.state is ClipState.SKIPPED]
    if skipped:
        lines.append(f"degraded on purpose: clip {', '.join(skipped)} is truncated")
    for output in view.outputs:
        lines.append(f"video       {folder.out / output.name}.mp4")
        lines.append(f"storyboard  {folder.out / output.name}-storyboard.png")
    lines.append(f"report      {folder.out / 'report.json'}")
    for line in lines:
        terminal.print_line(out, f"  {line}", 500)
    out.print("\nNext: the same clips in another order, which reuses all segments", style="bold")
    terminal.print_line(out, f"  {next_command(folder)}", 500)


def _reuse_text(view: CompilationView, server: DemoServer) -> str:
    fetched = sum(name.endswith(".mp4") for name in server.requests)
    reused = sum(clip.reused for clip in view.clips)
    segments = total_segments(view)
    return (
        f"clips: {fetched} fetched from {server.address}, {reused} reused;"
        f" segments: {segments['rendered']} rendered, {segments['reused']} reused"
    )


def next_command(folder: DemoFolder) -> str:
    """Return the command that renders the reordered manifest."""
    command = Path(sys.executable).parent / "clipmill"
    if command.is_relative_to(Path.cwd()):
        command = command.relative_to(Path.cwd())
    out = folder.root / "reordered"
    return f"{command} render {folder.reordered} -o {out} --state {folder.state}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo in the folder that the arguments name; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="./run demo",
        description="Generate clips, fetch and render them on this machine, and show the result.",
    )
    parser.add_argument("folder", nargs="?", default="demo", help="folder for all files")
    folder = DemoFolder(Path(parser.parse_args(arguments).folder))
    try:
        with interruptible():
            return run_demo(folder, terminal.console(), terminal.console(stderr=True))
    except (Exception, KeyboardInterrupt) as error:
        fault = fault_of(error)
        print_errors(fault.lines)
        return fault.exit_code
