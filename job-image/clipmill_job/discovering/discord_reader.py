"""Read the messages of a Discord channel, newest first, back to the start of the window."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from clipmill.shows.candidates import ClipCandidate, DiscordCredentials
from clipmill.shows.show_sources import DiscordSource
from clipmill_job.discovering.bounded_http import HttpReply
from clipmill_job.discovering.candidate_fields import line
from clipmill_job.discovering.message_clips import clips_of_message, reactions_of
from clipmill_job.discovering.paced_requests import PacedRequests, header_number
from clipmill_job.discovering.source_errors import SourceError
from clipmill_job.discovering.source_reader import ReaderTools, SourceNote, SourceTask

PAGE = 100
# Discord requires this form.
USER_AGENT = "DiscordBot (https://clipmill.dev, 1)"
# The first millisecond of Discord's ids, as a Unix time.
SNOWFLAKE_EPOCH_MS = 1_420_070_400_000


def snowflake(time: datetime) -> int:
    """Return the smallest id of a message of this time or later."""
    return max(0, int(time.timestamp() * 1000) - SNOWFLAKE_EPOCH_MS) << 22


def discord_wait_s(reply: HttpReply, _: float) -> float:
    """Return the seconds until the API takes another request of the same kind."""
    headers = reply.headers
    if reply.status == 429:
        body = reply.json()
        stated = body.get("retry_after") if isinstance(body, dict) else None
        if isinstance(stated, int | float) and stated >= 0:
            return float(stated)
        return header_number(headers, "retry-after") or 1.0
    if header_number(headers, "x-ratelimit-remaining") == 0:
        return header_number(headers, "x-ratelimit-reset-after") or 0.0
    return 0.0


def read(task: SourceTask, tools: ReaderTools) -> Iterator[ClipCandidate | SourceNote]:
    """Yield attachments and links; see `SourceReader`."""
    source, credentials = task.query.query.discord, task.query.discord
    if source is None or credentials is None:
        name = f"{task.field('credentials')}: {task.query.query.credentials!r}"
        raise SourceError("MissingCredentials", f"{name} of kind discord is not available")
    messages, returned, blank = _messages(task, source, credentials, tools), 0, 0
    for message in messages:
        blank += _is_blank(message)
        reactions = reactions_of(message)
        if reactions < source.minimum_reactions:
            continue
        for clip in clips_of_message(message, task, reactions):
            yield clip
            returned += 1
            if returned >= source.most:
                return
    if blank and not returned:
        rule = "enable the Message Content Intent of the bot's application"
        text = f"{blank} messages hold no text, links or files: {rule}"
        yield SourceNote("NoMessageContent", f"{task.field('channel')} {source.channel}: {text}")


def _is_blank(message: dict[str, Any]) -> bool:
    """Return whether a user's message has no content, as for a bot without the right to read it."""
    is_ordinary = message.get("type") in (0, 19)
    return is_ordinary and not any(message.get(f) for f in ("content", "attachments", "embeds"))


def _messages(
    task: SourceTask, source: DiscordSource, credentials: DiscordCredentials, tools: ReaderTools
) -> Iterator[dict[str, Any]]:
    requests = PacedRequests("Discord", tools, discord_wait_s)
    url = f"{task.base_url('discord')}/channels/{source.channel}/messages"
    headers = {"Authorization": f"Bot {credentials.bot_token}", "User-Agent": USER_AGENT}
    first, before = snowflake(task.started_after), snowflake(task.ended_before)
    while before > first:
        params = [("limit", str(PAGE)), ("before", str(before))]
        page = _page(requests.get(url, headers=headers, params=params), task, source)
        yield from (message for message in page if first <= _id(message) < before)
        oldest = min((_id(message) for message in page if _id(message)), default=0)
        if len(page) < PAGE or oldest >= before:
            return
        before = oldest


def _page(reply: HttpReply, task: SourceTask, source: DiscordSource) -> list[dict[str, Any]]:
    body = reply.json()
    if reply.status == 200:
        if not isinstance(body, list):
            raise SourceError("BadReply", "Discord's response for messages is no JSON array")
        return [message if isinstance(message, dict) else {} for message in body]
    text = line(body.get("message"), 100) if isinstance(body, dict) else None
    detail = text or f"status {reply.status}"
    channel = f"{task.field('channel')} {source.channel}"
    if reply.status == 401:
        name = f"{task.field('credentials')}: {source.credentials!r}"
        raise SourceError(
            "InvalidCredentials", f"{name} of kind discord: Discord refuses the token: {detail}"
        )
    if reply.status == 403:
        rule = "the bot needs the permissions View Channel and Read Message History"
        raise SourceError("NoAccess", f"{channel}: Discord responded {detail!r}: {rule}")
    if reply.status == 404:
        raise SourceError("UnknownChannel", f"{channel}: Discord has no such channel: {detail}")
    raise SourceError("SourceFailed", f"{channel}: Discord responded {reply.status}: {detail}")


def _id(message: dict[str, Any]) -> int:
    text = str(message.get("id", ""))
    return int(text) if text.isdecimal() and len(text) <= 25 else 0
