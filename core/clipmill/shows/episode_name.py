"""Name the Compilation of an episode, so that each scheduled time has one name."""

from __future__ import annotations

import hashlib
from datetime import datetime

from clipmill.shows.cron_schedule import time_zone

MAX_NAME = 63
_HASH_LENGTH = 8


def episode_name(show_name: str, scheduled_at: datetime, zone_name: str) -> str:
    """Return a name such as `chess-weekly-20270105-1800`, of at most 63 characters.

    The time is that of the zone. In the hour that the end of daylight saving repeats, the second
    pass ends in `-2`. A long name of a show is cut, with a hash that keeps it distinct.

    Args:
        show_name: Name of the show.
        scheduled_at: Scheduled time, of any zone.
        zone_name: IANA name of the show's zone.
    """
    local = scheduled_at.astimezone(time_zone(zone_name))
    suffix = f"{local:-%Y%m%d-%H%M}" + ("-2" if local.fold else "")
    return _shortened(show_name, MAX_NAME - len(suffix)) + suffix


def _shortened(name: str, limit: int) -> str:
    if len(name) <= limit:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:_HASH_LENGTH]
    return f"{name[: limit - _HASH_LENGTH - 1].rstrip('-')}-{digest}"
