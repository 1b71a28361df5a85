"""Lists and entries of an API as tables: compilations, media, quota, usage, users, tiers."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from clipmill.protocol import (
    QUEUED,
    TERMINAL_STATES,
    Account,
    CompilationState,
    CompilationView,
    KeyView,
    Media,
    MediaFacts,
    ShareLink,
    TierView,
    Usage,
    UsedIn,
    UserView,
)
from clipmill.protocol.integrations.credential_models import CredentialView
from clipmill.protocol.integrations.webhook_models import NotificationView, WebhookView
from clipmill_cli.output.progress import eta_text, state_text
from clipmill_cli.output.summary import final_state_text, show_summary
from clipmill_cli.output.terminal import plain, table

UNLIMITED = "unlimited"


def show_compilations(out: Console, compilations: Sequence[CompilationView]) -> None:
    """Print one row for each compilation."""
    rows = [
        (view.id, view.name, _state_text(view), f"{view.percent} %", _minute(view.created_at))
        for view in compilations
    ]
    out.print(table("Compilations", ("id", "name", "state", ">done", "submitted"), rows))


def _state_text(view: CompilationView) -> str:
    if view.reason == QUEUED:
        return QUEUED
    if view.state is not CompilationState.SUCCEEDED and view.reason:
        return f"{view.state}: {view.reason}"
    return final_state_text(view)


def _minute(timestamp: str) -> str:
    """Return `2026-11-24T22:53:01.000000Z` as `2026-11-24 22:53`."""
    return timestamp[:16].replace("T", " ")


def show_compilation(out: Console, view: CompilationView) -> None:
    """Print one compilation: its summary, or its state and clips while it is in progress."""
    out.print(plain(f"{view.id}  generation {view.generation}  {_minute(view.created_at)}"))
    if view.state in TERMINAL_STATES:
        show_summary(out, view)
        return
    out.print(plain(f"{view.name}: {state_text(view)}, {view.percent} %{eta_text(view)}"))
    out.print(f"render time: {view.reserved_seconds} s reserved, {view.used_seconds} s used")
    rows = [
        (clip.name, clip.state, clip.url or clip.media_id or "title card", clip.message)
        for clip in view.clips
    ]
    out.print(table("Clips", ("clip", "state", "source", "message"), rows))


def show_uses(out: Console, uses: Sequence[UsedIn]) -> None:
    """Print one row for each result that plays a media file."""
    rows = [
        (use.compilation_id, use.name, use.output, use.kind, _minute(use.created_at))
        for use in uses
    ]
    out.print(table("Used in", ("compilation", "name", "output", "as", "created"), rows))


def show_links(out: Console, links: Sequence[ShareLink]) -> None:
    """Print one row for each link, without its URL, whose holder can read the file."""
    rows = [
        (link.id, link.file, _minute(link.created_at), _minute(link.expires_at)) for link in links
    ]
    out.print(table("Links", ("id", "file", "created", "expires"), rows))


def show_media(out: Console, media: Sequence[Media]) -> None:
    """Print one row for each media file."""
    rows = [
        (
            *(item.id, item.kind, item.filename, size_text(item.size_bytes)),
            _format_text(item),
        )
        for item in media
    ]
    out.print(table("Media", ("id", "kind", "file", ">size", "format"), rows))


def _format_text(media: Media) -> str:
    if media.defect:
        return f"broken: {media.defect.code}"
    return facts_text(media.facts) if media.facts else ""


def facts_text(facts: MediaFacts) -> str:
    """Return `4.00 s, 1280x720, 30 frames/s, h264, aac, -18.2 LUFS`, or `64x64, png`."""
    if facts.width and not facts.frames:
        return f"{facts.width}x{facts.height}, {facts.format}"
    duration = f"{facts.duration_us / 1e6:.2f} s"
    loudness = "" if facts.loudness_lufs is None else f", {facts.loudness_lufs:.1f} LUFS"
    audio = f"{facts.audio_codec or 'no audio'}{loudness}"
    if not facts.frames:
        return f"{duration}, {audio}"
    rate = facts.rate.removesuffix("/1")
    video = f"{facts.width}x{facts.height}, {rate} frames/s, {facts.video_codec}"
    return f"{duration}, {video}, {audio}"


def size_text(size_bytes: int) -> str:
    """Return `1.5 MB`, or `6 kB` below 100 kB."""
    if size_bytes < 100_000:
        return f"{-(-size_bytes // 1000)} kB"
    return f"{size_bytes / 1e6:.1f} MB"


def show_account(out: Console, account: Account) -> None:
    """Print the tier's limits and what is used and reserved of them."""
    storage_limit = account.storage_limit_bytes
    rows = [
        (
            f"render time in {account.month}",
            f"{account.render_used_seconds} s",
            f"{account.render_reserved_seconds} s",
            _limit_text(account.render_limit_seconds, "s"),
        ),
        (
            "storage",
            size_text(account.storage_used_bytes),
            "",
            UNLIMITED if storage_limit is None else size_text(storage_limit),
        ),
    ]
    title = f"{account.owner}, tier {account.tier}"
    out.print(table(title, ("", ">used", ">reserved", ">limit"), rows))


def show_usage(out: Console, usages: Sequence[Usage]) -> None:
    """Print one row for each finished compilation."""
    rows = [
        (usage.compilation_id, usage.generation, f"{usage.seconds} s", _minute(usage.created_at))
        for usage in usages
    ]
    out.print(table("Render time", ("compilation", ">generation", ">used", "finished"), rows))


def show_users(out: Console, users: Sequence[UserView]) -> None:
    """Print one row for each user."""
    out.print(table("Users", ("name", "tier"), [(user.name, user.tier) for user in users]))


def show_keys(out: Console, keys: Sequence[KeyView]) -> None:
    """Print one row for each key."""
    rows = [
        (
            key.id,
            _minute(key.created_at) if key.created_at else "",
            _minute(key.last_used_at) if key.last_used_at else "never",
            _minute(key.expires_at) if key.expires_at else "never",
            _minute(key.revoked_at) if key.revoked_at else "",
        )
        for key in keys
    ]
    out.print(table("Keys", ("id", "created", "last used", "expires", "revoked"), rows))


def show_credentials(out: Console, credentials: Sequence[CredentialView]) -> None:
    """Print one row for each credential, without its values."""
    rows = [
        (
            *(view.name, view.kind, ", ".join(view.hosts), _minute(view.created_at)),
            _minute(view.last_used_at) if view.last_used_at else "never",
        )
        for view in credentials
    ]
    out.print(table("Credentials", ("name", "kind", "hosts", "created", "last used"), rows))


def show_webhooks(out: Console, webhooks: Sequence[WebhookView]) -> None:
    """Print one row for each webhook, without its URL."""
    rows = [
        (
            *(view.name, view.target, ", ".join(view.events)),
            _minute(view.last_delivered_at) if view.last_delivered_at else "never",
            view.disabled_reason or ("failing" if view.failing_since else ""),
        )
        for view in webhooks
    ]
    out.print(table("Webhooks", ("name", "target", "events", "last delivered", "problem"), rows))


def show_notifications(out: Console, notifications: Sequence[NotificationView]) -> None:
    """Print one row for each notification, with its last attempt."""
    rows = []
    for view in notifications:
        last = view.attempts[-1] if view.attempts else None
        result = (last.status, last.error) if last else (None, None)
        row = (view.id, view.type, view.state, _minute(view.created_at), len(view.attempts))
        rows.append((*row, *result))
    columns = ("id", "event", "state", "created", ">attempts", ">status", "error")
    out.print(table("Deliveries", columns, rows))


def show_tiers(out: Console, tiers: Sequence[TierView]) -> None:
    """Print one row for each tier."""
    rows = [
        (
            tier.name,
            _limit_text(tier.storage_limit_bytes, "bytes"),
            _limit_text(tier.render_limit_seconds, "s"),
            _limit_text(tier.max_clips, "clips"),
            "yes" if tier.apply_watermark else "no",
        )
        for tier in tiers
    ]
    columns = ("tier", ">storage", ">render time per month", ">per compilation", "watermark")
    out.print(table("Tiers", columns, rows))


def _limit_text(limit: int | None, unit: str) -> str:
    return UNLIMITED if limit is None else f"{limit} {unit}"
