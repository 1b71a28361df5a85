"""Read clips of Twitch, by broadcasters, by games, or by their ids."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from clipmill.shows.candidates import ClipCandidate
from clipmill.shows.show_sources import TwitchSource
from clipmill_job.discovering.candidate_fields import (
    NAME_CHARS,
    TITLE_CHARS,
    candidate,
    count,
    line,
    milliseconds,
)
from clipmill_job.discovering.helix import Helix, HelixClip
from clipmill_job.discovering.most_viewed import Window, WindowClips, most_viewed
from clipmill_job.discovering.source_errors import SourceError
from clipmill_job.discovering.source_reader import ReaderTools, SourceNote, SourceTask

# A query ends at about 1,000 clips. One that returned so many may have left some out.
CAPPED_AT = 900
# Beyond the limit the API may repeat clips under new cursors.
MAX_PAGES = 12
# Field of the source, resource of the API, parameter of its request, parameter of the clips.
_BROADCASTERS = ("broadcasters", "users", "login", "broadcaster_id", "UnknownBroadcaster")
_GAMES = ("games", "games", "name", "game_id", "UnknownGame")


def read(task: SourceTask, tools: ReaderTools) -> Iterator[ClipCandidate | SourceNote]:
    """Yield clips; see `SourceReader`."""
    source, credentials = task.query.query.twitch, task.query.twitch
    if source is None or credentials is None:
        name = f"{task.field('credentials')}: {task.query.query.credentials!r}"
        raise SourceError("MissingCredentials", f"{name} of kind twitch is not available")
    yield from _TwitchRead(task, source, Helix(task, credentials, tools)).run()


class _TwitchRead:
    def __init__(self, task: SourceTask, source: TwitchSource, helix: Helix) -> None:
        self._task = task
        self._source = source
        self._helix = helix
        self._games: dict[str, str] = {}
        # Why the reading of a window ended before its end: raised once its clips are yielded.
        self._interruption: SourceError | None = None

    def run(self) -> Iterator[ClipCandidate | SourceNote]:
        if self._source.ids:
            clips = self._helix.clips_of(self._source.ids)
            yield from self._candidates([clip for clip in clips if self._passes_filters(clip)])
            return
        kind = _BROADCASTERS if self._source.broadcasters else _GAMES
        names = self._source.broadcasters or self._source.games
        ids = self._helix.ids_of(kind[1], kind[2], names)
        yield from self._unknown(kind, [name for name in names if name.lower() not in ids])
        if kind is _GAMES:
            self._games = {ids[name.lower()]: name for name in names if name.lower() in ids}
        window = (self._task.started_after, self._task.ended_before)
        for value in dict.fromkeys(ids.values()):
            yield from self._read_all((kind[3], value), window)

    def _unknown(self, kind: tuple[str, ...], names: Sequence[str]) -> Iterator[SourceNote]:
        if names:
            shown = ", ".join(repr(name) for name in names[:5])
            field, resource = self._task.field(kind[0]), kind[1]
            rule = f"Twitch has no {resource} of these names: write them as Twitch does"
            yield SourceNote(kind[4], f"{field}: {shown}: {rule}")

    def _read_all(self, of: tuple[str, str], window: Window) -> Iterator[ClipCandidate]:
        def read_window(section: Window) -> WindowClips:
            return self._read_window(of, section)

        most = self._source.most
        for clips in most_viewed(read_window, window, most=most, accept=self._is_accepted):
            yield from self._candidates(clips)
            if self._interruption:
                raise self._interruption

    def _read_window(self, of: tuple[str, str], window: Window) -> WindowClips:
        """Return the clips of a window, until enough of them are accepted."""
        clips: dict[str, HelixClip] = {}
        cursor, accepted = "", 0
        for _ in range(MAX_PAGES):
            try:
                page, cursor = self._helix.clip_page(of, *window, cursor)
            except SourceError as error:
                self._interruption = error
                break
            fresh = {clip.id: clip for clip in page if clip.id not in clips}
            clips |= fresh
            accepted += sum(map(self._is_accepted, fresh.values()))
            if page and all(clip.view_count < self._source.minimum_views for clip in page):
                return WindowClips(clips=list(clips.values()))
            if not cursor or not fresh:
                break
            if accepted >= self._source.most:
                return _with_floor(clips)
        return (
            _with_floor(clips) if len(clips) >= CAPPED_AT else WindowClips(clips=[*clips.values()])
        )

    def _is_accepted(self, clip: HelixClip) -> bool:
        # The window of a query is rounded, so it returns clips beside it.
        in_window = self._task.started_after <= clip.created_at < self._task.ended_before
        return in_window and self._passes_filters(clip)

    def _passes_filters(self, clip: HelixClip) -> bool:
        languages = self._source.languages
        is_language = not languages or clip.language.lower()[:2] in languages
        return is_language and clip.view_count >= self._source.minimum_views

    def _candidates(self, clips: list[HelixClip]) -> Iterator[ClipCandidate]:
        unknown = {clip.game_id for clip in clips if clip.game_id} - self._games.keys()
        if unknown and not self._interruption:
            self._games |= dict.fromkeys(unknown, "") | self._helix.games_of(sorted(unknown))
        for clip in clips:
            clip_candidate = self._candidate(clip)
            if clip_candidate:
                yield clip_candidate

    def _candidate(self, clip: HelixClip) -> ClipCandidate | None:
        has_vod = bool(clip.video_id) and clip.vod_offset is not None
        return candidate(
            clip.url,
            source=self._task.query.source,
            private=self._task.allowed_private,
            title=line(clip.title, TITLE_CHARS),
            creator=line(clip.creator_name, NAME_CHARS),
            broadcaster=line(clip.broadcaster_name, NAME_CHARS),
            game=line(self._games.get(clip.game_id), NAME_CHARS),
            language=line(clip.language, 10),
            views=count(clip.view_count),
            duration_ms=milliseconds(clip.duration),
            created_at=clip.created_at,
            vod_id=line(clip.video_id, 100),
            vod_offset_ms=milliseconds(clip.vod_offset) if has_vod else None,
        )


def _with_floor(clips: dict[str, HelixClip]) -> WindowClips:
    floor = min((clip.view_count for clip in clips.values()), default=0)
    return WindowClips(clips=list(clips.values()), floor=floor)
