"""Excerpts: fetched files that hold a part of their source, and which clips they can play. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from clipmill.protocol import Excerpt, MediaFacts
from clipmill.spec.played_part import SourceSpan
from clipmill_api.tables import MediaRow

# A file has this much more than what is played: the sound's decoder needs what came before, and a
# position is rounded to a frame.
MARGIN_US = 500_000


def excerpt_key(clip_key: str, facts: MediaFacts, excerpt: Excerpt) -> str:
    """Return the clip key of an excerpt; no key of a URL has its form, that of a media fragment."""
    end_us = excerpt.at_us + facts.duration_us
    return f"{clip_key}#t={excerpt.at_us / 1e6:.6f},{end_us / 1e6:.6f}"


def covers(media: MediaRow, span: SourceSpan | None) -> bool:
    """Return whether a fetched file holds what a clip plays; None stands for the whole source."""
    if not media.excerpt_of:
        return True
    facts = MediaFacts.model_validate(media.facts)
    if span is None or facts.excerpt is None:
        return False
    at_us, rest_us = facts.excerpt.at_us, facts.excerpt.rest_us
    start_us = min(_us(span.start_s), facts.source_us) - MARGIN_US
    ends_later = at_us + facts.duration_us >= _us(span.end_s) + MARGIN_US
    return at_us <= max(0, start_us) and (ends_later or not rest_us)


def choose_media(
    media: Iterable[MediaRow], clip_key: str, span: SourceSpan | None
) -> MediaRow | None:
    """Return the fetched file of a clip: the whole source, or else the smallest that covers it."""
    usable = [
        each
        for each in media
        if clip_key in (each.clip_key, each.excerpt_of) and covers(each, span)
    ]
    return min(usable, key=lambda each: (bool(each.excerpt_of), each.size_bytes), default=None)


def _us(seconds: Fraction) -> int:
    return round(seconds * 1_000_000)
