"""yt-dlp that fetches excerpts where that pays, instead of the source that it has found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

from yt_dlp import YoutubeDL

from clipmill_job.excerpting.excerpt_process import write_excerpt
from clipmill_job.excerpting.hls_fragments import FragmentedSource
from clipmill_job.excerpting.hls_playlist import UnsupportedPlaylist
from clipmill_job.excerpting.part_groups import PartGroup, group_parts, whole_reason
from clipmill_job.excerpting.ranged_source import NoRanges, OnBytes, RangedSource

HLS = ("m3u8", "m3u8_native")
PROGRESSIVE = ("http", "https")
# Time around a part that is fetched at the first attempt, and at the second one.
MORE_US = (0, 12_000_000)
OnNote = Callable[[str], None]


class WholeSource(Exception):
    """The whole source has to be fetched. The message says why."""


class ExcerptingYoutubeDL(YoutubeDL):  # type: ignore[misc]  # carries no types
    """Fetches the spans of a source that are played; `excerpts` holds them.

    Args:
        options: yt-dlp's options.
        request: The downloader's request, with `spans` and `folder`.
        on_bytes: Called with the number of fetched bytes.
        on_note: Called with why the whole source is fetched.
        on_source: Called with yt-dlp's info dict before anything is fetched.
    """

    def __init__(
        self,
        options: dict[str, Any],
        request: dict[str, Any],
        *,
        on_bytes: OnBytes,
        on_note: OnNote,
        on_source: Callable[[dict[str, Any]], None],
    ) -> None:
        super().__init__(options)
        self._groups = group_parts(request["spans"])
        self._folder = Path(request["folder"])
        self._on_bytes, self._on_note, self._on_source = on_bytes, on_note, on_source
        self.excerpts: list[dict[str, Any]] = []

    def process_info(self, info_dict: dict[str, Any]) -> None:
        """Fetch excerpts of what was found, or leave it to yt-dlp."""
        if not self._groups:
            super().process_info(info_dict)
            return
        try:
            self.excerpts = self._fetch_excerpts(info_dict)
            self._delete("fragments*")
            self._on_source(info_dict)
        except (WholeSource, UnsupportedPlaylist) as error:
            self._delete("fragments*", "part*")
            self._on_note(f"fetching the whole source, since {error}")
            super().process_info(info_dict)

    def _fetch_excerpts(self, info: dict[str, Any]) -> list[dict[str, Any]]:
        formats = info.get("requested_formats") or [info]
        protocols = {str(each.get("protocol") or "") for each in formats}
        if protocols <= set(HLS):
            return self._fetch_fragments(formats)
        if not protocols <= set(PROGRESSIVE):
            raise WholeSource(f"spans of {', '.join(sorted(protocols))} cannot be fetched alone")
        return self._fetch_ranges(formats)

    def _fetch_ranges(self, formats: list[dict[str, Any]]) -> list[dict[str, Any]]:
        try:
            sources = [
                RangedSource(self, each["url"], self._headers(each), self._on_bytes)
                for each in formats
            ]
            inputs = [{"size": source.size} for source in sources]
            # The index need not be read to know that a small file is fetched as a whole.
            size = sum(source.size for source in sources)
            if size < 2 * len(sources) * 1_000_000:
                raise WholeSource(f"it has only {size} bytes")
            return [self._write(i, inputs, sources) for i in range(len(self._groups))]
        except NoRanges:
            raise WholeSource("its server does not send spans of files") from None

    def _fetch_fragments(self, formats: list[dict[str, Any]]) -> list[dict[str, Any]]:
        sources = [
            FragmentedSource(self, each, self._headers(each), self._on_bytes) for each in formats
        ]
        if reason := whole_reason(self._groups, max(s.length_us for s in sources), None):
            raise WholeSource(reason)
        return [self._fetch_group(i, sources) for i in range(len(self._groups))]

    def _fetch_group(self, number: int, sources: Sequence[FragmentedSource]) -> dict[str, Any]:
        """Fetch a part; with more around it if the playlist's times are not those of the packets.

        Raises:
            WholeSource: It cannot be copied even so.
        """
        group = self._groups[number]
        for more_us in MORE_US:
            inputs = [
                source.fetch(
                    group.start_us - more_us,
                    group.end_us + more_us,
                    self._folder / f"fragments{number}.{i}",
                )
                for i, source in enumerate(sources)
            ]
            with suppress(WholeSource) if more_us < MORE_US[-1] else nullcontext():
                return self._write(number, inputs, ())
        raise WholeSource("no fragments hold the part")

    def _headers(self, chosen: dict[str, Any]) -> dict[str, str]:
        return dict(chosen.get("http_headers") or self._calc_headers(chosen))

    def _write(self, number: int, inputs: Any, sources: Any) -> dict[str, Any]:
        request = {
            "inputs": inputs,
            "spans": [_as_dict(group) for group in self._groups],
            "part": number,
            "folder": str(self._folder),
        }
        reply = write_excerpt(request, sources, self._folder)
        if "excerpt" not in reply:
            raise WholeSource(str(reply.get("whole", "")))
        return {**reply["excerpt"], "clip_id": self._groups[number].clip_id}

    def _delete(self, *patterns: str) -> None:
        for pattern in patterns:
            for path in self._folder.glob(pattern):
                path.unlink()


def _as_dict(group: PartGroup) -> dict[str, Any]:
    return {"clip_id": group.clip_id, "start_us": group.start_us, "end_us": group.end_us}
