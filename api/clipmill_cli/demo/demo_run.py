"""`./run demo`: clips made on the spot, fetched over HTTP, rendered, with all that a person needs.

clips -> a site on loopback -> plan -> fetch, render, assemble by the real jobs -> mp4, storyboard
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import yaml
from rich.console import Console

from clipmill.protocol import ClipState, CompilationView, MediaKind, State
from clipmill.spec import Manifest
from clipmill_cli.commands.options import interruptible
from clipmill_cli.demo import clip_recipes, demo_manifests
from clipmill_cli.demo.clip_recipes import CLIPS, INTRO, OUTRO, SWOOSH
from clipmill_cli.demo.clip_server import Site, serving
from clipmill_cli.local import local_render
from clipmill_cli.local.local_api import Access, LocalAPI
from clipmill_cli.local.report import segments
from clipmill_cli.output import terminal
from clipmill_cli.output.failures import fault, say
from clipmill_client.client import Client

ASSETS = ((INTRO, MediaKind.INTRO), (OUTRO, MediaKind.OUTRO), (SWOOSH, MediaKind.TRANSITION))
WORKERS = 2


class Places(NamedTuple):
    """Where the demo puts things."""

    root: Path

    @property
    def clips(self) -> Path:
        """What its site serves."""
        return self.root / "clips"

    @property
    def state(self) -> Path:
        """Database, media and keys."""
        return self.root / "state"

    @property
    def out(self) -> Path:
        """The finished videos."""
        return self.root / "out"

    @property
    def manifest(self) -> Path:
        """What was rendered."""
        return self.root / "demo.yaml"

    @property
    def reordered(self) -> Path:
        """What to render next."""
        return self.root / "reordered.yaml"


def demo(places: Places, out: Console, err: Console) -> int:
    """The whole demo; 0 when its video is there."""
    started = time.monotonic()
    made = clip_recipes.make(places.clips)
    known = len(clip_recipes.ALL) - made
    out.print(f"1. Clips: {made} made, {known} made before, in {places.clips}/", style="bold")
    local_render.writable(places.out)
    with serving(places.clips, _port_before(places.manifest)) as site:
        rules = Access(private=(site.place,))
        with LocalAPI(places.state, rules, on_wait=err.print) as api:
            view = _render(api, places, site, out, err)
    if view.state is not State.SUCCEEDED:
        return 1
    _say_end(out, places, view, site, time.monotonic() - started)
    return 0


def _port_before(path: Path) -> int:
    """The port of an earlier demo, so that its clips have the same URLs; 0: none."""
    try:
        first = yaml.safe_load(path.read_text())["spec"]["clips"][0]["url"]
        return urlsplit(first).port or 0
    except (OSError, ValueError, LookupError, TypeError, yaml.YAMLError):
        return 0


def _render(
    api: LocalAPI, places: Places, site: Site, out: Console, err: Console
) -> CompilationView:
    assets = _assets(api.user, places.clips)
    wish = _manifest(places, site, assets)
    out.print(f"\n2. Plan of {places.manifest}", style="bold")
    terminal.show_plan(out, api.user.dry_run(wish))
    out.print("\n3. Fetch (yt-dlp), render, assemble (ffmpeg)", style="bold")
    with terminal.Live(err) as live:
        view, spent_s = local_render.run(api, wish, workers=WORKERS, tell=live)
    local_render.leave(api.user, view, places.out, spent_s)
    terminal.show_end(out, view)
    again = demo_manifests.reordered(view.clips, assets)
    demo_manifests.left(places.reordered, demo_manifests.AGAIN, again)
    return view


def _assets(client: Client, clips: Path) -> dict[str, str]:
    """Intro, outro and transition clip, in the media library: their ids by name."""
    return {
        recipe.name: client.upload_media(clip_recipes.path_of(clips, recipe), kind).id
        for recipe, kind in ASSETS
    }


def _manifest(places: Places, site: Site, assets: dict[str, str]) -> Manifest:
    urls = {recipe.name: site.url(clip_recipes.path_of(places.clips, recipe)) for recipe in CLIPS}
    made = demo_manifests.fetching(urls, assets)
    return demo_manifests.left(places.manifest, demo_manifests.HEAD, made)


# --- the end --------------------------------------------------------------------------------------


def _say_end(
    out: Console, places: Places, view: CompilationView, site: Site, spent_s: float
) -> None:
    skipped = [clip.name for clip in view.clips if clip.state is ClipState.SKIPPED]
    out.print(f"\n4. Done in {spent_s:.0f} s", style="bold")
    out.print(terminal.plain(f"  {_reuse(view, site)}"))
    if skipped:
        out.print(f"  Degraded by design: {', '.join(skipped)} was cut off to show what is said.")
    for output in view.outputs:
        out.print(terminal.plain(f"  video       {places.out / output.name}.mp4"), soft_wrap=True)
        out.print(
            terminal.plain(f"  storyboard  {places.out / output.name}-storyboard.png"),
            soft_wrap=True,
        )
    out.print(terminal.plain(f"  report      {places.out / 'report.json'}"), soft_wrap=True)
    out.print(
        "\nNext: the same clips in another order, of segments that are all there", style="bold"
    )
    out.print(terminal.plain(f"  {next_command(places)}"), soft_wrap=True)


def _reuse(view: CompilationView, site: Site) -> str:
    """What was fetched and rendered, and what was there from before."""
    fetched = sum(name.endswith(".mp4") for name in site.asked)
    before = sum(clip.reused for clip in view.clips)
    counts = segments(view)
    return (
        f"{fetched} clips fetched from {site.place}, {before} were here before;"
        f" {counts['rendered']} segments rendered, {counts['reused']} reused"
    )


def next_command(places: Places) -> str:
    """What to type next."""
    command = Path(sys.executable).parent / "clipmill"
    if command.is_relative_to(Path.cwd()):
        command = command.relative_to(Path.cwd())
    out = places.root / "reordered"
    return f"{command} render {places.reordered} -o {out} --state {places.state}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; the exit code."""
    parser = argparse.ArgumentParser(prog="./run demo", description=__doc__)
    parser.add_argument("folder", nargs="?", default="demo", help="where to put all of it")
    places = Places(Path(parser.parse_args(arguments).folder))
    try:
        with interruptible():
            return demo(places, terminal.console(), terminal.console(stderr=True))
    except (Exception, KeyboardInterrupt) as error:
        known = fault(error)
        say(known.lines)
        return known.code
