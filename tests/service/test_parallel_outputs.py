"""Outputs of one compilation are assembled at the same time, and do not disturb each other."""

from __future__ import annotations

from pathlib import Path

import pytest

import clipmaker
from clipmill.protocol import CompilationState, MediaKind
from clipmill.spec import Manifest
from clipmill_cli.local import local_render
from clipmill_cli.local.local_api import LocalAPI
from harness import SMALL

FORMS = {"wide": {}, "same": {}, "tall": {"width": 180, "height": 320}}
SECONDS = 4


def test_each_has_its_pictures_and_its_sound(tmp_path: Path) -> None:
    """Two of them share all segments; music is mixed into each."""
    path = clipmaker.clip(tmp_path / "clip.mp4", seconds=3, sound="sine=frequency=330")
    music = tmp_path / "music.m4a"
    clipmaker.ffmpeg("-f", "lavfi", "-i", "sine=frequency=880:duration=2", str(music))
    with LocalAPI(tmp_path / "state") as api:
        clip = api.user.upload_media(path, MediaKind.CLIP).id
        track = api.user.upload_media(music, MediaKind.MUSIC).id
        manifest = Manifest.model_validate(
            {
                "apiVersion": "clipmill.dev/v1alpha1",
                "kind": "Compilation",
                "metadata": {"name": "several"},
                "spec": {
                    "clips": [{"mediaId": clip}, {"mediaId": clip, "end": "1s"}],
                    "music": {"mediaId": track},
                    "outputs": [{**SMALL, **form, "name": name} for name, form in FORMS.items()],
                },
            }
        )
        view, _ = local_render.render(api, manifest, workers=2, on_progress=lambda _: None)
        assert view.state is CompilationState.SUCCEEDED, view
        for output in view.outputs:
            out = tmp_path / f"{output.name}.mp4"
            api.user.download_output(view.id, out.name, out)
            pictures, wide = clipmaker.frames(out), SMALL | FORMS[output.name]
            assert len(pictures) == SECONDS * 30
            assert (pictures[0].width, pictures[0].height) == (wide["width"], wide["height"])
            assert len(clipmaker.samples(out)) == pytest.approx(SECONDS * 48_000, abs=1024)
            assert output.loudness_lufs == pytest.approx(-14, abs=1)
            assert output.segments.total == 2
