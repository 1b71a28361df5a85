"""Measure the selection of 12 clips out of 10,000 candidates.

Run `python -m benchmarks.selection`. Processor time is compared with that of reading the same
candidates from JSON, which the API must do in any case. One in four candidates repeats the moment
of another, one in ten was played before, and there are 400 creators.
"""

from __future__ import annotations

import json
import random
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from pydantic import TypeAdapter

from clipmill.shows.candidates import ClipCandidate
from clipmill.shows.selection import Selection, select_clips
from clipmill.shows.show_spec import Select

CANDIDATES, TAKEN, ROUNDS = 10_000, 12, 15
END = datetime(2026, 11, 27, 18, tzinfo=UTC)
WINDOW = (END - timedelta(days=7), END)


def candidates() -> list[ClipCandidate]:
    """Return clips as Twitch describes them, by a seed."""
    chance = random.Random(12)
    clips: list[ClipCandidate] = []
    for number in range(CANDIDATES):
        repeated = clips[chance.randrange(number)] if number and chance.random() < 0.25 else None
        clips.append(_clip(chance, number, repeated))
    return clips


def _clip(chance: random.Random, number: int, repeated: ClipCandidate | None) -> ClipCandidate:
    channel, offset = f"channel{chance.randrange(400)}", chance.randrange(20_000_000)
    if repeated is not None:
        channel, offset = str(repeated.broadcaster), int(repeated.vod_offset_ms or 0) + 5000
    return ClipCandidate(
        url=f"https://clips.twitch.tv/Clip{number}",
        source=number % 5,
        title=f"Clip number {number}",
        creator=f"viewer{chance.randrange(5000)}",
        broadcaster=channel,
        game="Chess",
        language=chance.choice(["en", "en", "en", "de"]),
        views=int(chance.paretovariate(1) * 10),
        duration_ms=chance.randrange(5_000, 60_000),
        created_at=END - timedelta(minutes=chance.randrange(8 * 24 * 60)),
        vod_id=f"v{channel}",
        vod_offset_ms=offset,
    )


def milliseconds(function: Callable[[], object]) -> float:
    """Return the median processor time of a function."""
    spent = []
    for _ in range(ROUNDS):
        began = time.process_time()
        function()
        spent.append((time.process_time() - began) * 1000)
    return statistics.median(spent)


def main() -> None:
    """Print the figures."""
    clips = candidates()
    used = frozenset(f"twitch:Clip{number}" for number in range(0, CANDIDATES, 10))
    spec = Select(most=TAKEN, longest="8m", per_creator=2, languages=["en"], minimum_views=20)
    adapter = TypeAdapter(list[ClipCandidate])
    text = adapter.dump_json(clips)

    def select() -> Selection:
        return select_clips(clips, spec, window=WINDOW, used=used, seed="benchmark")

    assert len(select().taken) == TAKEN
    selecting, reading = milliseconds(select), milliseconds(lambda: adapter.validate_json(text))
    figures = {
        "candidates": CANDIDATES,
        "taken": TAKEN,
        "select_ms": round(selecting, 1),
        "read_json_ms": round(reading, 1),
        "ratio": round(selecting / reading, 2),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
