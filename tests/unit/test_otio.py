"""Export to and import from OpenTimelineIO; unsupported parts are refused by their name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import opentimelineio as otio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clipmill.otio.clip_mapping import OtioImportError
from clipmill.otio.exporter import export_otio
from clipmill.otio.importer import import_otio
from clipmill.protocol import MediaFacts
from clipmill.protocol.result_record import PlayedItem, ResultRecord
from clipmill.spec import CompilationSpec, Manifest
from clipmill.timeline.build import MediaSource, Timeline, build_timeline

FACTS = MediaFacts(format="mov", duration_us=5_000_000, width=64, height=64, frames=150)
MEDIA = MediaSource("m-clip", "1" * 64, FACTS)


def _timeline(spec: CompilationSpec) -> Timeline:
    return build_timeline(spec, spec.outputs[0], [MEDIA] * len(spec.clips), {})


def _record(spec: CompilationSpec, timeline: Timeline) -> ResultRecord:
    items = [
        PlayedItem(
            kind=item.kind,
            name=item.name,
            title=clip.title,
            media_id=item.media_id,
            sha256="1" * 64,
            at=item.at,
            start=item.start,
            frames=item.frames,
        )
        for item, clip in zip(timeline.items, spec.clips, strict=True)
    ]
    return ResultRecord(
        title="A: 'b' 100 %", rate=timeline.profile.rate, frames=timeline.frames, items=items
    )


@st.composite
def specs(draw: st.DrawFn) -> CompilationSpec:
    """Generate clips of 5 s with any trims and transitions, at any rate."""
    clips: list[dict[str, Any]] = []
    for i in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, 4000))
        end = draw(st.integers(start + 100, 5000))
        clip: dict[str, Any] = {"mediaId": "m-clip", "name": f"c{i}"}
        clip |= {"start": f"{start}ms", "end": f"{end}ms"} if draw(st.booleans()) else {}
        if i and draw(st.booleans()):
            kind = draw(st.sampled_from(["Fade", "WipeLeft", "FadeBlack"]))
            overlap = f"{draw(st.integers(40, 2000))}ms"
            curve = draw(st.sampled_from(["EqualPower", "Linear"]))
            clip["transition"] = {"type": kind, "duration": overlap, "curve": curve}
        clips.append(clip)
    rate = draw(st.sampled_from([24, 25, 30, 50, 60]))
    output = {"name": "main", "preset": "custom", "width": 128, "height": 72, "rate": rate}
    return CompilationSpec.model_validate({"clips": clips, "outputs": [output]})


@settings(deadline=None)
@given(specs())
def test_there_and_back(spec: CompilationSpec) -> None:
    """A timeline that is exported and imported is the same to the frame."""
    timeline = _timeline(spec)
    text = export_otio(_record(spec, timeline), timeline.items, timeline.profile)
    back = Manifest.model_validate(import_otio(text, name="back")).spec
    imported = _timeline(back)
    positions = [
        [(i.at, i.start, i.frames, i.overlap, i.transition, i.curve) for i in each.items]
        for each in (timeline, imported)
    ]
    assert positions[0] == positions[1]
    assert back.title == "A: 'b' 100 %"


def test_length_and_ranges_are_those_of_editing_programs() -> None:
    """The track is as long as the output; the cut is in the middle of a crossfade."""
    clips = [
        {"mediaId": "m-clip", "name": "a"},
        {"mediaId": "m-clip", "name": "b", "start": "1s", "transition": {"type": "Fade"}},
    ]
    output = {"name": "main", "preset": "custom", "width": 128, "height": 72, "rate": 30}
    spec = CompilationSpec.model_validate({"clips": clips, "outputs": [output]})
    timeline = _timeline(spec)
    document = otio.adapters.read_from_string(
        export_otio(_record(spec, timeline), timeline.items, timeline.profile), "otio_json"
    )
    (track,) = document.video_tracks()
    assert track.duration() == otio.opentime.RationalTime(timeline.frames, 30)
    first, fade, second = track
    assert (fade.in_offset.value, fade.out_offset.value) == (8, 7)
    assert first.source_range.duration.value == 150 - 7
    assert (second.source_range.start_time.value, second.source_range.duration.value) == (38, 112)
    assert [marker.name for marker in document.tracks.markers] == ["a", "b"]


# --- files of other programs --------------------------------------------------------------------


def _clip(name: str = "clip-a", url: str = "https://example.org/a.mp4", **more: Any) -> Any:
    reference = otio.schema.ExternalReference(target_url=url)
    span = otio.opentime.TimeRange(
        otio.opentime.RationalTime(24, 24), otio.opentime.RationalTime(48, 24)
    )
    fields: dict[str, Any] = {"media_reference": reference, "source_range": span, **more}
    return otio.schema.Clip(name=name, **fields)


def _fade(kind: str = "SMPTE_Dissolve", frames: int = 6) -> Any:
    time = otio.opentime.RationalTime(frames, 24)
    return otio.schema.Transition(name="x", transition_type=kind, in_offset=time, out_offset=time)


def _file(*items: Any, edit: Callable[[Any], None] = lambda _: None) -> str:
    timeline = otio.schema.Timeline("Edit")
    track = otio.schema.Track("V1", kind="Video")
    track.extend(items)
    timeline.tracks.append(track)
    edit(timeline)
    text: str = otio.adapters.write_to_string(timeline, "otio_json")
    return text


def test_a_file_of_another_program() -> None:
    """Trims, names, a dissolve, local and remote files become fields of the manifest."""
    long = otio.opentime.TimeRange(
        otio.opentime.RationalTime(24, 24), otio.opentime.RationalTime(48, 24)
    )
    text = _file(
        _clip("one: 'first'"), _fade(), _clip("two", "file:///media/two.mov", source_range=long)
    )
    spec = import_otio(text, name="edit")["spec"]
    assert spec["clips"] == [
        {
            "url": "https://example.org/a.mp4",
            "title": "one: 'first'",
            "start": "1s",
            "end": "3.25s",
        },
        {
            "url": "file:///media/two.mov",
            "title": "two",
            "start": "0.75s",
            "end": "3s",
            "transition": {"type": "Fade", "duration": "0.5s"},
        },
    ]
    assert spec["outputs"][0]["rate"] == 24


def _second_track(timeline: Any) -> None:
    track = otio.schema.Track("V2", kind="Video")
    track.append(_clip("over"))
    timeline.tracks.append(track)


def _sound(timeline: Any) -> None:
    track = otio.schema.Track("A1", kind="Audio")
    track.append(_clip("voice"))
    timeline.tracks.append(track)


def _effect(timeline: Any) -> None:
    timeline.tracks[0][0].effects.append(otio.schema.Effect(name="Blur", effect_name="gaussian"))


def _speed(timeline: Any) -> None:
    timeline.tracks[0][0].effects.append(otio.schema.LinearTimeWarp(name="2x", time_scalar=2))


def _frozen(timeline: Any) -> None:
    timeline.tracks[0][0].effects.append(otio.schema.FreezeFrame(name="still"))


def _disabled(timeline: Any) -> None:
    timeline.tracks[0][0].enabled = False


def _early(timeline: Any) -> None:
    timeline.tracks[0].insert(1, _fade(frames=30))
    timeline.tracks[0].append(_clip("late"))


GAP = otio.schema.Gap(duration=otio.opentime.RationalTime(36, 24))
MISSING = otio.schema.MissingReference()
BARS = otio.schema.GeneratorReference(generator_kind="SMPTEBars")
REFUSED = [
    (_file(), "timeline: it has no clip"),
    (_file(_clip(), GAP, _clip()), "a gap of 1.50s in the video track"),
    (_file(otio.schema.Stack("inner")), "stack 'inner': nested in the video track"),
    (_file(_clip(), edit=_second_track), "track 'V2': a second video track"),
    (_file(_clip(), edit=_sound), "clip 'voice': on the audio track 'A1'"),
    (_file(_clip(), edit=_effect), "clip 'clip-a': the effect 'gaussian'"),
    (_file(_clip(), edit=_speed), "clip 'clip-a': the speed change '2x'"),
    (_file(_clip(), edit=_frozen), "clip 'clip-a': the speed change 'still'"),
    (_file(_clip(), edit=_disabled), "clip 'clip-a': it is disabled"),
    (_file(_clip(media_reference=MISSING)), "its media is a MissingReference, not a file"),
    (_file(_clip(media_reference=BARS)), "its media is a GeneratorReference, not a file"),
    (_file(_clip(url="s3://bucket/a.mp4")), "'s3://bucket/a.mp4' is no file and no URL"),
    (_file(_clip(), _fade("Custom_Transition"), _clip()), "of the type Custom_Transition"),
    (_file(_fade(), _clip()), "at the end of the track"),
    (_file(_clip(), _fade(frames=200), _clip()), "16.67s long, not between 0s and 10s"),
    (_file(_clip(), edit=_early), "clip 'late': it has no frames for the transition before it"),
    ("", "not an OTIO file"),
    ('{"a":' * 100_000 + "1" + "}" * 100_000, "nested too deeply"),
    ("{}", "the file holds a AnyDictionary; only a Timeline"),
    ('{"OTIO_SCHEMA": "Timeline.99"}', "not an OTIO file: unsupported schema version"),
    ('{"OTIO_SCHEMA": "SerializableCollection.1"}', "not an OTIO file"),
    ('{"OTIO_SCHEMA": "Clip.1"}', "the file holds a Clip; only a Timeline"),
]


@pytest.mark.parametrize(("text", "reason"), REFUSED)
def test_unsupported_parts(text: str, reason: str) -> None:
    """Each reason names the part."""
    with pytest.raises(OtioImportError) as refused:
        import_otio(text, name="edit")
    assert reason in str(refused.value)


def test_all_reasons_at_once() -> None:
    """All reasons are reported at once, up to a limit."""
    with pytest.raises(OtioImportError) as refused:
        import_otio(_file(GAP, _clip(), edit=_second_track), name="edit")
    assert len(refused.value.reasons) == 2
    many = [_clip(media_reference=MISSING) for _ in range(30)]
    with pytest.raises(OtioImportError) as refused:
        import_otio(_file(*many), name="edit")
    assert len(refused.value.reasons) == 21
    assert refused.value.reasons[-1] == "and 10 more"
