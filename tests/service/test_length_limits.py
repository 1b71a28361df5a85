"""How long an output may be: the platforms' limits, the installation's, noted or refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from clipmill.environment import InvalidSettings
from clipmill.protocol import ClipState, OutputPolicy
from clipmill.spec import CompilationSpec, Quality
from clipmill.timeline.build import InvalidTimeline
from clipmill_api.compilations.output_planning import output_view, plan_outputs
from clipmill_api.compilations.plan_models import ResolvedSpec
from clipmill_api.settings import Settings
from clipmill_api.tables import ClipRow
from commandline import clipmill

# One second more than each platform documents.
TOO_LONG = [
    ("youtube_shorts", 181),
    ("tiktok", 601),
    ("instagram_reel", 901),
    ("instagram_feed", 901),
    ("instagram_story", 61),
    ("twitter", 141),
    ("facebook", 14_401),
    ("youtube", 43_201),
]


def _resolved(preset: str, seconds: int, **policy: Any) -> ResolvedSpec:
    """Return a spec of title cards with this length."""
    lengths = [3600] * (seconds // 3600) + [seconds % 3600]
    clips = [{"color": "#000000", "duration": f"{length}s"} for length in lengths if length]
    spec = CompilationSpec.model_validate(
        {"clips": clips, "outputs": [{"name": "main", "preset": preset}], "quality": Quality.DRAFT}
    )
    rows = [
        ClipRow(id=f"k-{i}", position=i, name=f"clip-{i + 1}", state=ClipState.READY.value)
        for i in range(len(clips))
    ]
    return ResolvedSpec(spec, rows, {}, OutputPolicy.model_validate(policy))


def _planned(resolved: ResolvedSpec) -> Any:
    (output,) = plan_outputs(resolved)
    return output_view(output, (), is_waiting=False)


@pytest.mark.parametrize(("preset", "seconds"), TOO_LONG)
def test_a_longer_output_is_noted(preset: str, seconds: int) -> None:
    """It is planned with a note; at the limit there is none."""
    plan = _planned(_resolved(preset, seconds))
    assert plan.frames == seconds * plan.profile.rate
    assert plan.too_long in plan.notes
    assert f"{seconds - 1}s" in plan.too_long
    assert _planned(_resolved(preset, seconds - 1)).too_long is None


@pytest.mark.parametrize("preset", ["twitch", "custom"])
def test_some_have_no_limit(preset: str) -> None:
    """A Twitch upload and a size of one's own."""
    if preset == "custom":
        spec = _resolved("twitch", 90_000).spec
        output = {"name": "main", "preset": "custom", "width": 64, "height": 64, "rate": 24}
        spec = CompilationSpec.model_validate({**spec.model_dump(), "outputs": [output]})
        resolved = ResolvedSpec(spec, _resolved("twitch", 90_000).clips, {}, OutputPolicy())
        assert _planned(resolved).too_long is None
    else:
        assert _planned(_resolved(preset, 90_000)).too_long is None


def test_an_installation_refuses() -> None:
    """With refuse_too_long the plan is refused, and the message names output and lengths."""
    with pytest.raises(InvalidTimeline, match=r"\(main\).*181\.00s.*youtube_shorts.*180s"):
        plan_outputs(_resolved("youtube_shorts", 181, refuse_too_long=True))


def test_an_installation_has_its_own_limits() -> None:
    """A limit replaces the platform's, up and down, or removes it."""
    for limits, seconds, is_too_long in (
        ({"youtube_shorts": 60}, 61, True),
        ({"youtube_shorts": 300}, 181, False),
        ({"twitter": None}, 9_999, False),
        ({"tiktok": 60}, 61, False),
    ):
        preset = "twitter" if "twitter" in limits else "youtube_shorts"
        plan = _planned(_resolved(preset, seconds, max_lengths_s=limits))
        assert bool(plan.too_long) is is_too_long


KEYS = {"CLIPMILL_ADMIN_KEY": "cm_a_" + "abcdefghijklmnopqrstuvwxyz012345"} | {
    "CLIPMILL_OPERATOR_KEY": "cm_o_" + "abcdefghijklmnopqrstuvwxyz012345"
}


def test_settings(tmp_path: Path) -> None:
    """Limits are durations, or none."""
    environ = {**KEYS, "CLIPMILL_LENGTH_LIMITS": "youtube_shorts=1:00, twitter=4h tiktok=none"}
    settings = Settings.from_environ(
        {**environ, "CLIPMILL_REFUSE_TOO_LONG": "true"}, state=tmp_path
    )
    assert settings.length_limits == (
        ("youtube_shorts", 60),
        ("twitter", 14_400),
        ("tiktok", None),
    )
    assert settings.refuse_too_long
    assert Settings.from_environ(KEYS, state=tmp_path).length_limits == ()


@pytest.mark.parametrize("text", ["vine=6s", "youtube", "youtube=long", "youtube=0s", "custom=1h"])
def test_unknown_limits_are_refused(text: str, tmp_path: Path) -> None:
    """The message names variable and value."""
    with pytest.raises(InvalidSettings, match="CLIPMILL_LENGTH_LIMITS"):
        Settings.from_environ({**KEYS, "CLIPMILL_LENGTH_LIMITS": text}, state=tmp_path)


def test_strict_on_the_command_line(tmp_path: Path) -> None:
    """`plan` shows the note, `plan --strict` refuses."""
    manifest = tmp_path / "long.json"
    document = {
        "apiVersion": "clipmill.dev/v1alpha1",
        "kind": "Compilation",
        "metadata": {"name": "long"},
        "spec": {
            "clips": [{"color": "#000000", "duration": 61}],
            "outputs": [{"name": "main", "preset": "instagram_story"}],
        },
    }
    manifest.write_text(json.dumps(document))
    state = ("--state", tmp_path / "state")
    done = clipmill("plan", manifest, "-o", "json", *state)
    assert done.code == 0, done.err
    (output,) = json.loads(done.out)["outputs"]
    assert "60s" in output["tooLong"]
    assert output["tooLong"] in output["notes"]
    shown = clipmill("plan", manifest, *state).out
    assert "title card" in shown
    assert "in the library" not in shown
    refused = clipmill("plan", manifest, "--strict", *state)
    assert refused.code == 2
    assert "instagram_story" in refused.err
