"""A compilation's timeline for editing programs, and back to the same plan."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import opentimelineio as otio
import pytest
import yaml
from typer.testing import CliRunner

import levels
from clipmill.protocol import MediaKind
from clipmill.spec import Manifest
from clipmill_cli.commands.command_tree import app
from clipmill_client.errors import PermanentError
from harness import SMALL, Harness, running

HOSTILE = "a: 'b' 100 % \\ \U0001f3ac \u0645\u0631\u062d\u0628\u0627"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """One API."""
    with running(tmp_path_factory.mktemp("state"), allow_any_host=True) as api:
        yield api


def test_exported_and_imported_is_the_same_plan(
    server: Harness, two_seconds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By `clipmill export` and `clipmill import`: entries, music and frames as before."""
    owner, user = server.user()
    clip = user.upload_media(two_seconds, MediaKind.CLIP).id
    track = levels.track(tmp_path / "t.flac", levels.tone(300, 1))
    music = user.upload_media(track, MediaKind.MUSIC).id
    fade = {"type": "WipeLeft", "duration": "300ms", "curve": "Linear"}
    spec = {
        "title": HOSTILE,
        "clips": [
            {"mediaId": clip, "title": HOSTILE, "start": "500ms"},
            {"mediaId": clip, "name": "b", "end": "1.5s", "transition": fade},
        ],
        "intro": {"mediaId": clip},
        "music": {"mediaId": music, "gain": "-20dB", "from": "AfterIntro", "fadeOut": "1s"},
        "outputs": [SMALL],
    }
    uid, plan = server.register(owner, spec)
    compilation_id = server.operator.view(uid).id
    monkeypatch.setenv("CLIPMILL_API_URL", server.url)
    monkeypatch.setenv("CLIPMILL_API_KEY", server.admin.create_key(owner))
    file, back = tmp_path / "My Edit.otio", tmp_path / "back.yaml"
    run = CliRunner().invoke
    done = run(app, ["export", compilation_id, "-o", str(file)])
    assert (done.exit_code, done.output) == (0, f"written: {file}\n")
    done = run(app, ["import", str(file), "-o", str(back)])
    assert (done.exit_code, done.output) == (0, f"written: {back}\n")
    manifest = Manifest.model_validate(yaml.safe_load(back.read_text()))
    assert (manifest.metadata.name, manifest.spec.title) == ("my-edit", HOSTILE)
    again = user.dry_run(manifest).outputs[0]
    before = plan.outputs[0]
    assert again.frames == before.frames
    assert [(e.at, e.frames, e.overlap, e.transition, e.curve) for e in again.items] == [
        (e.at, e.frames, e.overlap, e.transition, e.curve) for e in before.items
    ]
    assert before.music is not None
    assert again.music == before.music
    assert manifest.spec.intro is not None
    music_spec = manifest.spec.music
    assert music_spec is not None
    assert (music_spec.media_id, music_spec.gain, music_spec.fade_out) == (music, "-20dB", "1s")


def test_what_the_route_answers(server: Harness, two_seconds: Path) -> None:
    """One output by name; 404 for another's; 409 while lengths are not known."""
    owner, user = server.user()
    clip = user.upload_media(two_seconds, MediaKind.CLIP).id
    outputs = [SMALL, {**SMALL, "name": "slow", "rate": 24}]
    uid, _ = server.register(owner, {"clips": [{"mediaId": clip}], "outputs": outputs})
    compilation_id = server.operator.view(uid).id
    line = otio.adapters.read_from_string(user.timeline(compilation_id, "slow"), "otio_json")
    assert line.duration() == otio.opentime.RationalTime(48, 24)
    assert line.tracks[0][0].media_reference.metadata["clipmill"]["mediaId"] == clip
    uid, _ = server.register(owner, {"clips": [{"url": "https://example.org/a.mp4"}]})
    for client, where, of, status in (
        (user, compilation_id, "other", 404),
        (server.user()[1], compilation_id, None, 404),
        (user, server.operator.view(uid).id, None, 409),
    ):
        with pytest.raises(PermanentError) as refused:
            client.timeline(where, of)
        assert refused.value.status == status


def test_import_says_all_that_it_cannot_carry(tmp_path: Path) -> None:
    """One line each, with the file's name, and exit code 2."""
    file = tmp_path / "edit.otio"
    line = otio.schema.Timeline("Edit")
    track = otio.schema.Track("V1", kind="Video")
    track.append(otio.schema.Clip("no media"))
    track.append(otio.schema.Gap(duration=otio.opentime.RationalTime(30, 30)))
    line.tracks.append(track)
    otio.adapters.write_to_file(line, str(file))
    done = CliRunner().invoke(app, ["import", str(file)])
    assert done.exit_code == 2
    assert "edit.otio: clip 'no media': its media is a MissingReference" in done.output
    assert "edit.otio: a gap of 1.00s in the video track" in done.output
