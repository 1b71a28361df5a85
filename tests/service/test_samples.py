"""The sample clips of a fresh installation."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from clipmill_api.media.sample_clips import SAMPLES
from clipmill_probe import probe_media
from harness import Harness, running


def test_each_sample_is_a_valid_clip(tmp_path: Path) -> None:
    """90 frames and 3 s with sound by the probe of every clip; no key is needed."""
    with running(tmp_path / "state", samples=True) as api:
        for name in SAMPLES:
            path = tmp_path / f"{name}.mp4"
            path.write_bytes(httpx.get(f"{api.url}/samples/{name}.mp4").content)
            facts = probe_media(path)
            assert (facts.frames, facts.width, facts.height) == (90, 640, 360)
            assert facts.duration_us == pytest.approx(3_000_000, abs=40_000)
            assert facts.loudness_lufs is not None
        assert httpx.get(f"{api.url}/samples/other.mp4").status_code == 404


def test_samples_are_disabled_by_default(api: Harness) -> None:
    """The setting `samples` enables them."""
    assert httpx.get(f"{api.url}/samples/bars.mp4").status_code == 404
