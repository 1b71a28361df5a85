"""Select the clips of an episode from candidates, with a reason for each that is not taken."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from clipmill.shows.candidates import ClipCandidate
from clipmill.shows.same_moments import RecordedMoments, candidate_key
from clipmill.shows.show_messages import ConsideredClip
from clipmill.shows.show_spec import PlayOrder, Select, SelectOrder
from clipmill.spec.base import parse_duration


class ExclusionReason(StrEnum):
    """Why a candidate is not taken."""

    # It has neither media nor a URL that names a clip.
    NO_CLIP = "NoClip"
    # The rules of the installation do not let its URL be fetched.
    NOT_ALLOWED = "NotAllowed"
    OUTSIDE_WINDOW = "OutsideWindow"
    TOO_FEW_VIEWS = "TooFewViews"
    UNKNOWN_VIEWS = "UnknownViews"
    OTHER_LANGUAGE = "OtherLanguage"
    UNKNOWN_LANGUAGE = "UnknownLanguage"
    # An earlier episode played it.
    USED = "Used"
    SAME_CLIP = "SameClip"
    SAME_MOMENT = "SameMoment"
    CREATOR_LIMIT = "CreatorLimit"
    UNKNOWN_LENGTH = "UnknownLength"
    LENGTH_BUDGET = "LengthBudget"
    # The episode is complete without it.
    ENOUGH_CLIPS = "EnoughClips"


@dataclass(frozen=True, slots=True)
class RankedClip:
    """A candidate with its clip key, its place in the list, and why it is not taken."""

    candidate: ClipCandidate
    key: str
    place: int
    reason: ExclusionReason | None = None

    @property
    def identity(self) -> tuple[str, int, int]:
        """What breaks ties: clip key, then source, then place."""
        return self.key, self.candidate.source, self.place

    def as_considered(self) -> ConsideredClip:
        """Return what a report says about it."""
        # Without validation, since the candidate is valid.
        fields = {**self.candidate.__dict__, "clip_key": self.key, "reason": self.reason or ""}
        return ConsideredClip.model_construct(**fields)


@dataclass(frozen=True, slots=True)
class Selection:
    """The clips of an episode in playing order, and all candidates, the best first."""

    taken: tuple[ClipCandidate, ...]
    ranked: tuple[RankedClip, ...]

    @property
    def used_keys(self) -> list[str]:
        """The clip keys of the clips that are taken."""
        return [clip.key for clip in self.ranked if clip.reason is None]

    def report(self, most: int) -> list[ConsideredClip]:
        """Return at most `most` candidates for a report: those that are taken come first."""
        ordered = sorted(self.ranked, key=lambda clip: clip.reason is not None)
        return [clip.as_considered() for clip in ordered[:most]]


def _always(_: ClipCandidate) -> bool:
    return True


def select_clips(
    candidates: Sequence[ClipCandidate],
    select: Select,
    *,
    window: tuple[datetime, datetime],
    used: Collection[str],
    seed: str,
    is_allowed: Callable[[ClipCandidate], bool] = _always,
) -> Selection:
    """Select the clips of an episode.

    Candidates are taken in the order of the spec as long as each limit holds; one that breaks a
    limit is passed over. Of candidates of one moment, the one with most views counts. Ties are
    broken by clip key, so that the order of the candidates matters for `Listed` only.

    Args:
        candidates: What the sources returned, in the order of the spec's sources.
        select: The spec.
        window: Candidates are created at the first time or later, and before the second.
        used: Clip keys that earlier episodes of the show played.
        seed: Seed of the order `Random`, such as the name of the episode.
        is_allowed: Whether the installation may fetch a candidate's URL.
    """
    clips = [
        _checked(candidate, place, select, window, is_allowed)
        for place, candidate in enumerate(candidates)
    ]
    reasons = {clip.place: clip.reason for clip in clips if clip.reason}
    fit = [clip for clip in clips if not clip.reason]
    reasons |= _repeated(fit, frozenset(used) if select.unused else frozenset())
    ranked = sorted(clips, key=_rank(select.order, seed))
    reasons |= _fill([clip for clip in ranked if clip.place not in reasons], select)
    taken = [clip.candidate for clip in ranked if clip.place not in reasons]
    return Selection(
        taken=tuple(_in_playing_order(taken, select.play)),
        ranked=tuple(replace(clip, reason=reasons.get(clip.place)) for clip in ranked),
    )


def _checked(
    candidate: ClipCandidate,
    place: int,
    select: Select,
    window: tuple[datetime, datetime],
    is_allowed: Callable[[ClipCandidate], bool],
) -> RankedClip:
    """Return a candidate with the reason why it cannot be taken whatever the others are."""
    if reason := _own_reason(candidate, select, window):
        return RankedClip(candidate, candidate.clip_key, place, reason)
    key = candidate_key(candidate)
    if key is None:
        return RankedClip(candidate, "", place, ExclusionReason.NO_CLIP)
    allowed = is_allowed(candidate)
    return RankedClip(candidate, key, place, None if allowed else ExclusionReason.NOT_ALLOWED)


def _own_reason(
    candidate: ClipCandidate, select: Select, window: tuple[datetime, datetime]
) -> ExclusionReason | None:
    # Feeds and lists often give no time; `unused` keeps their entries from coming back.
    if candidate.created_at and not window[0] <= candidate.created_at < window[1]:
        return ExclusionReason.OUTSIDE_WINDOW
    if select.minimum_views and candidate.views is None:
        return ExclusionReason.UNKNOWN_VIEWS
    if (candidate.views or 0) < select.minimum_views:
        return ExclusionReason.TOO_FEW_VIEWS
    return _language_reason(candidate.language, select.languages)


def _language_reason(language: str | None, languages: Sequence[str]) -> ExclusionReason | None:
    """Compare languages without case; `en` includes `en-GB`."""
    if not languages:
        return None
    if not language:
        return ExclusionReason.UNKNOWN_LANGUAGE
    tag = language.casefold()
    matches = any(
        tag == other or tag.startswith(f"{other}-") for other in map(str.casefold, languages)
    )
    return None if matches else ExclusionReason.OTHER_LANGUAGE


def _repeated(entries: Sequence[RankedClip], used: frozenset[str]) -> dict[int, ExclusionReason]:
    """Return reasons of those that were used, or that repeat another candidate.

    A used clip comes before others of its moment, so that the moment does not return by another.
    """
    reasons: dict[int, ExclusionReason] = {}
    keys: set[str] = set()
    moments = RecordedMoments()
    best_first = sorted(
        entries, key=lambda e: (e.key not in used, -_or(e.candidate.views, -1), *e.identity)
    )
    for entry in best_first:
        if entry.key in keys:
            reasons[entry.place] = ExclusionReason.SAME_CLIP
            continue
        keys.add(entry.key)
        is_new = moments.add(entry.candidate)
        if entry.key in used:
            reasons[entry.place] = ExclusionReason.USED
        elif not is_new:
            reasons[entry.place] = ExclusionReason.SAME_MOMENT
    return reasons


def _or(number: int | None, other: int) -> int:
    return other if number is None else number


def _rank(order: SelectOrder, seed: str) -> Callable[[RankedClip], tuple[Any, ...]]:
    """Return the sort key of an order: the best first, unknown values last."""

    def created(entry: RankedClip) -> float | None:
        time = entry.candidate.created_at
        return time.timestamp() if time else None

    def first(number: float | None, sign: int) -> tuple[bool, float]:
        return number is None, sign * (number or 0)

    ranks: dict[SelectOrder, Callable[[RankedClip], tuple[Any, ...]]] = {
        SelectOrder.VIEWS: lambda e: first(e.candidate.views, -1),
        SelectOrder.REACTIONS: lambda e: first(e.candidate.reactions, -1),
        SelectOrder.NEWEST: lambda e: first(created(e), -1),
        SelectOrder.OLDEST: lambda e: first(created(e), 1),
        SelectOrder.LISTED: lambda e: (e.candidate.source, e.place),
        SelectOrder.RANDOM: lambda e: (hashlib.sha256(f"{seed}\n{e.key}".encode()).digest(),),
    }
    rank = ranks[order]
    return lambda entry: (*rank(entry), *entry.identity)


def _fill(ranked: Sequence[RankedClip], select: Select) -> dict[int, ExclusionReason]:
    """Take candidates in order while the limits hold; return the reasons of the others."""
    reasons: dict[int, ExclusionReason] = {}
    creators: Counter[str] = Counter()
    budget_ms = _milliseconds(select.longest)
    taken = length_ms = 0
    for entry in ranked:
        creator = (creator_of(entry.candidate) or "").casefold()
        plays_ms = _playing_ms(entry.candidate, select)
        if taken == select.most:
            reasons[entry.place] = ExclusionReason.ENOUGH_CLIPS
        elif creator and select.per_creator and creators[creator] >= select.per_creator:
            reasons[entry.place] = ExclusionReason.CREATOR_LIMIT
        elif budget_ms is not None and plays_ms is None:
            reasons[entry.place] = ExclusionReason.UNKNOWN_LENGTH
        elif budget_ms is not None and length_ms + (plays_ms or 0) > budget_ms:
            reasons[entry.place] = ExclusionReason.LENGTH_BUDGET
        else:
            creators[creator] += 1
            taken += 1
            length_ms += plays_ms or 0
    return reasons


def creator_of(candidate: ClipCandidate) -> str | None:
    """Return whom a clip shows: its channel, else who made it."""
    return candidate.broadcaster or candidate.creator


def _playing_ms(candidate: ClipCandidate, select: Select) -> int | None:
    """Return how long a clip plays; the longest part if its length is unknown."""
    lengths = (candidate.duration_ms, _milliseconds(select.clip_duration))
    return min((length for length in lengths if length is not None), default=None)


def _milliseconds(duration: str | None) -> int | None:
    return None if duration is None else int(parse_duration(duration) * 1000)


def _in_playing_order(taken: Sequence[ClipCandidate], play: PlayOrder) -> list[ClipCandidate]:
    if play is PlayOrder.REVERSED:
        return list(reversed(taken))
    if play is PlayOrder.CHRONOLOGICAL:
        unknown = datetime.max.replace(tzinfo=UTC)
        return sorted(taken, key=lambda candidate: candidate.created_at or unknown)
    return list(taken)
