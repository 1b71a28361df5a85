"""The percent and the estimated end of a compilation that renders."""

from __future__ import annotations

from datetime import datetime

import pytest

from clipmill.protocol import Heartbeat, Stage
from legacy_world import LegacyOwner


def test_percent_never_falls(legacy_owner: LegacyOwner) -> None:
    """A lower percent of a heartbeat does not lower the compilation's."""
    operator = legacy_owner.api.operator
    uid, _ = legacy_owner.api.register(
        legacy_owner.name, {"clips": [{"mediaId": legacy_owner.media_id}]}
    )
    job = legacy_owner.api.job(uid, Stage.ASSEMBLE)
    epoch = job.claim(0, "pod").epoch
    percents = []
    for percent in (50, 20, 100):
        job.heartbeat(Heartbeat(index=0, epoch=epoch, percent=percent))
        percents.append(operator.view(uid).percent)
    assert percents == [64, 64, 99]


def test_eta_follows_the_percent(legacy_owner: LegacyOwner) -> None:
    """None before anything is rendered; then the rest takes as long as its share."""
    api, operator = legacy_owner.api, legacy_owner.api.operator
    uid, _ = api.register(legacy_owner.name, {"clips": [{"mediaId": legacy_owner.media_id}]})
    job = api.job(uid, Stage.ASSEMBLE)
    epoch = job.claim(0, "pod").epoch
    assert operator.view(uid).eta is None
    api.clock.advance(350)
    job.heartbeat(Heartbeat(index=0, epoch=epoch, percent=50))
    eta = operator.view(uid).eta
    assert eta is not None
    remaining_s = (datetime.fromisoformat(eta) - api.clock()).total_seconds()
    assert remaining_s == pytest.approx(350 * 35 / 34, abs=5)
    assert operator.plan(uid).eta == eta
    api.clock.advance(100)
    assert operator.view(uid).eta == eta, "it changes with the percent alone"
    legacy_owner.user.cancel(operator.view(uid).id)
    assert operator.view(uid).eta is None
