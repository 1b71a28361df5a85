"""Specs of shows, and the spec of an episode's Compilation: template, parameters and clips."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from clipmill.shows.candidates import ClipCandidate
from clipmill.shows.episode_spec import build_episode_spec
from clipmill.shows.show_spec import ShowSpec
from clipmill.spec import CompilationSpec, CompilationTemplate

SCHEDULED = datetime(2027, 1, 2, 23, 30, tzinfo=UTC)


def show(**fields: Any) -> ShowSpec:
    """Return the spec of a show in Tokyo."""
    base = {
        "schedule": "0 18 * * FRI",
        "timeZone": "Asia/Tokyo",
        "sources": [{"feed": {"url": "https://example.org/clips.xml"}}],
    }
    return ShowSpec.model_validate({**base, **fields})


def refusal(**fields: Any) -> str:
    """Return the only message of a spec that is refused, with its field."""
    with pytest.raises(ValidationError) as caught:
        show(**fields)
    (error,) = caught.value.errors()
    return f"{'.'.join(map(str, error['loc']))}: {error['msg']}"


def episode(*taken: ClipCandidate, **fields: Any) -> CompilationSpec:
    """Return the spec of episode 7 of a show."""
    clips = taken or (ClipCandidate(url="https://clips.twitch.tv/One", source=0),)
    return build_episode_spec(
        show(**fields), clips, show_name="chess-weekly", number=7, scheduled_at=SCHEDULED
    )


def test_parameters_fill_texts() -> None:
    """Title, overlay texts and music credit; built-in values are those of the show's zone."""
    spec = episode(
        parameters={"game": "Chess", "tricky": "${game}"},
        template={
            "title": "${game} ${show} ${number} ${date} ${year} ${month} ${week} ${clips}",
            "overlays": [
                {"text": "$${game} costs $5 ${tricky}"},
                {"mediaId": "m-logo", "position": "TopRight"},
            ],
            "music": {"mediaId": "m-song", "credit": {"artist": "${game} band", "title": "A"}},
        },
    )
    assert spec.title == "Chess chess-weekly 7 2027-01-03 2027 January 53 1"
    assert [overlay.text for overlay in spec.overlays] == ["${game} costs $5 ${game}", None]
    assert spec.music
    assert spec.music.credit
    assert (spec.music.credit.artist, spec.music.credit.title) == ("Chess band", "A")


def test_clips_are_written_out() -> None:
    """With title, credit and source; media of the library by its id."""
    spec = episode(
        ClipCandidate(
            url="https://clips.twitch.tv/One", source=0, title=" Mate in one\x07", game="Chess",
            creator="Zoe", broadcaster="Ann", views=12,
        ),
        ClipCandidate(media_id="m-abcd", source=1, title=" "),
    )  # fmt: skip
    one, other = spec.clips
    assert (one.url, one.title) == ("https://clips.twitch.tv/One", "Mate in one")
    assert one.credit
    assert (one.credit.creator, one.credit.game) == ("Ann", "Chess")
    assert (other.media_id, other.url, other.title, other.credit) == ("m-abcd", None, None, None)


def test_approval_makes_a_draft() -> None:
    """Whatever the template's quality is."""
    assert episode(approval="Required").quality == "Draft"
    assert episode().quality == "Final"
    assert episode(template={"quality": "Draft"}).quality == "Draft"


@pytest.mark.parametrize(
    ("template", "select", "longest"),
    [
        ({}, {}, None),
        ({"maxClipDuration": "30s"}, {}, "30s"),
        ({}, {"clipDuration": "20s"}, "20s"),
        ({"maxClipDuration": "0:30"}, {"clipDuration": "20s"}, "20s"),
        ({"maxClipDuration": "10s"}, {"clipDuration": "20s"}, "10s"),
    ],
)
def test_the_longest_part_of_a_clip(template: Any, select: Any, longest: str | None) -> None:
    """The shorter limit holds."""
    assert episode(template=template, select=select).max_clip_duration == longest


@pytest.mark.parametrize(
    ("template", "fragments"),
    [
        ({"title": "${gmae}"}, ["template.title", "'gmae'", "game", "week"]),
        ({"overlays": [{"text": "a"}, {"text": "${x y}"}]}, ["template.overlays.1.text", "'x y'"]),
        ({"title": "${}"}, ["template.title", "''"]),
        ({"title": "${game"}, ["template.title", "no '}'"]),
        ({"music": {"mediaId": "m-song", "credit": {"license": "${by}"}}}, ["license", "'by'"]),
        ({"title": "${game}" * 28}, ["template.title", "200"]),
        ({"overlays": [{"text": "${none}"}]}, ["template.overlays.0.text", "1 character"]),
        ({"clips": []}, ["template", "clips", "sources"]),
        ({"owner": "ann"}, ["template", "owner"]),
        ({"minimumClips": 2}, ["template.minimumClips 2", "select.minimum 1"]),
        ({"preview": "FirstSeconds"}, ["template", "quality Draft"]),
        ({"titel": "x"}, ["template.titel"]),
    ],
)
def test_bad_templates_are_refused(template: Any, fragments: list[str]) -> None:
    """At validation, in one sentence with field, value and rule."""
    message = refusal(template=template, parameters={"game": "x" * 10, "none": ""})
    assert [fragment for fragment in fragments if fragment not in message] == []


def test_long_parameters_are_refused_before_an_episode() -> None:
    """A filled title is checked with the longest built-in values."""
    assert "template.title" in refusal(
        template={"title": "${a} ${show}"}, parameters={"a": "x" * 140}
    )
    assert show(template={"title": "${a} ${show}"}, parameters={"a": "x" * 136})


def test_built_in_parameters_are_not_replaced() -> None:
    """A parameter of the same name is refused."""
    assert "parameters.week" in refusal(parameters={"week": "1"})


@pytest.mark.parametrize("name", ["Game", "9lives", "a-b", "", "x" * 41])
def test_names_of_parameters(name: str) -> None:
    """A letter in lower case, then letters and digits."""
    assert refusal(parameters={name: "x"}).startswith("parameters.")


@settings(max_examples=200)
@given(st.text(st.sampled_from("${}ab \u00e9$"), min_size=1, max_size=30))
def test_any_text_is_filled_or_refused(text: str) -> None:
    """A text that the spec accepts makes an episode; placeholders do not remain."""
    try:
        show(template={"title": text}, parameters={"a": "1"})
    except ValidationError:
        return
    title = episode(template={"title": text}, parameters={"a": "1"}).title or ""
    assert "${a}" not in title or "$${a}" in text


def test_a_compilation_is_a_template_with_clips() -> None:
    """The two models share all other fields, so that a show can do what a manifest can.

    The webhooks of an episode are those of its show.
    """
    own = set(CompilationSpec.model_fields) - set(CompilationTemplate.model_fields)
    assert own == {"clips", "notify", "owner"}
