"""What a person sees of an API's lists: compilations, media, quota, usage, tiers."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from clipmill.protocol import (
    ENDS,
    Account,
    CompilationView,
    Media,
    MediaFacts,
    State,
    TierView,
    Usage,
    UsedIn,
)
from clipmill_cli.output.terminal import eta_text, plain, show_end, stage_text, table

NO_LIMIT = "no limit"


def show_list(out: Console, found: Sequence[CompilationView]) -> None:
    """One line for each compilation."""
    rows = [(v.id, v.name, _state(v), f"{v.percent} %", _when(v.created_at)) for v in found]
    out.print(table("Compilations", ("id", "name", "state", ">done", "submitted"), rows))


def _state(view: CompilationView) -> str:
    if view.state is State.SUCCEEDED and view.degraded:
        return "Succeeded, degraded"
    return f"{view.state}: {view.reason}" if view.reason else view.state.value


def _when(stamp: str) -> str:
    """`2026-11-24T22:53:01.000000Z` to the minute."""
    return stamp[:16].replace("T", " ")


def show_view(out: Console, view: CompilationView) -> None:
    """One compilation: how it ended, or where it stands."""
    out.print(plain(f"{view.id}  generation {view.generation}  {_when(view.created_at)}"))
    if view.state in ENDS:
        show_end(out, view)
        return
    out.print(plain(f"{view.name}: {stage_text(view)}, {view.percent} %{eta_text(view)}"))
    rows = [(c.name, c.state, c.url or c.media_id, c.message) for c in view.clips]
    out.print(table("Clips", ("clip", "state", "from", ""), [tuple(_said(row)) for row in rows]))


def _said(row: Sequence[object]) -> list[object]:
    return ["" if cell is None else cell for cell in row]


def show_uses(out: Console, found: Sequence[UsedIn]) -> None:
    """One line for each result that plays a media file."""
    rows = [(u.compilation_id, u.name, u.output, u.kind, _when(u.created_at)) for u in found]
    out.print(table("Used in", ("id", "name", "output", "as", "made"), rows))


def show_media(out: Console, found: Sequence[Media]) -> None:
    """One line for each media file."""
    rows = [(m.id, m.kind, m.filename, size_text(m.size_bytes), _length(m.facts)) for m in found]
    out.print(table("Media", ("id", "kind", "file", ">size", "what it is"), rows))


def _length(facts: MediaFacts | None) -> str:
    return facts_text(facts) if facts else ""


def facts_text(facts: MediaFacts) -> str:
    """`4.00 s, 1280x720, 30 frames/s, h264, aac, -18.2 LUFS`; of an image `64x64, png`."""
    if facts.width and not facts.frames:
        return f"{facts.width}x{facts.height}, {facts.format}"
    sound = facts.audio_codec or "no sound"
    loud = "" if facts.loudness_lufs is None else f", {facts.loudness_lufs:.1f} LUFS"
    if not facts.frames:
        return f"{facts.duration_us / 1e6:.2f} s, {sound}{loud}"
    size, rate = f"{facts.width}x{facts.height}", facts.rate.removesuffix("/1")
    return (
        f"{facts.duration_us / 1e6:.2f} s, {size}, {rate} frames/s,"
        f" {facts.video_codec}, {sound}{loud}"
    )


def size_text(size_bytes: int) -> str:
    """`1.5 MB`, or `6 kB` of what is small."""
    if size_bytes < 100_000:
        return f"{-(-size_bytes // 1000)} kB"
    return f"{size_bytes / 1e6:.1f} MB"


def show_account(out: Console, account: Account) -> None:
    """Limits, and what is used of them."""
    render, storage = account.render_limit_seconds, account.storage_limit_bytes
    rows = [
        (
            f"render time of {account.month}",
            f"{account.render_used_seconds} s",
            f"{account.render_reserved_seconds} s",
            NO_LIMIT if render is None else f"{render} s",
        ),
        (
            "storage",
            size_text(account.storage_used_bytes),
            "",
            NO_LIMIT if storage is None else size_text(storage),
        ),
    ]
    title = f"{account.owner}, tier {account.tier}"
    out.print(table(title, ("", ">used", ">reserved", ">limit"), rows))


def show_usage(out: Console, found: Sequence[Usage]) -> None:
    """One line for each finished compilation."""
    rows = [(u.compilation_id, u.generation, f"{u.seconds} s", _when(u.created_at)) for u in found]
    out.print(table("Render time", ("compilation", ">generation", ">used", "finished"), rows))


def show_tiers(out: Console, found: Sequence[TierView]) -> None:
    """One line for each tier."""
    rows = [
        (
            tier.name,
            _or_none(tier.storage_limit_bytes, "bytes"),
            _or_none(tier.render_limit_seconds, "s"),
            _or_none(tier.max_clips, "clips"),
            "yes" if tier.apply_watermark else "no",
        )
        for tier in found
    ]
    columns = ("tier", ">storage", ">render time a month", ">in one compilation", "watermark")
    out.print(table("Tiers", columns, rows))


def _or_none(limit: int | None, unit: str) -> str:
    return NO_LIMIT if limit is None else f"{limit} {unit}"
