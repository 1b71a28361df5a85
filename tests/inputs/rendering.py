"""Render clips as users do, at 320x180 and 30 frames a second unless a test says otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clipmill.protocol import CompilationState, CompilationView, MediaKind
from clipmill_client.errors import PermanentError
from inputs.hearing import heard_until
from inputs.making import Files
from inputs.measuring import Rendered, differences, read
from inputs.recipe import Music, Recipe, Refused, Shown
from studio import Studio, custom

SMALL: dict[str, Any] = custom()


def spec_of(*media_ids: str, **more: Any) -> dict[str, Any]:
    """Return a spec that plays media of the library in turn."""
    clips = [{"mediaId": media_id, "name": f"c{i}"} for i, media_id in enumerate(media_ids)]
    return {"outputs": [SMALL], "clips": clips, **more}


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a recipe's file: the facts that are not as required, and its tags."""

    faults: tuple[str, ...]
    tags: tuple[str, ...] | None = None


class Outcomes:
    """The outcomes of a session: each file is rendered once."""

    def __init__(self, files: Files, studio: Studio) -> None:
        self.files, self.studio = files, studio
        self._outcomes: dict[str, Outcome] = {}

    def of(self, recipe: Recipe) -> Outcome:
        """Return the outcome of a recipe."""
        if recipe.name not in self._outcomes:
            self._outcomes[recipe.name] = self._outcome(recipe)
        return self._outcomes[recipe.name]

    def _outcome(self, recipe: Recipe) -> Outcome:
        path = self.files.of(recipe)
        match recipe.outcome:
            case Shown() as shown:
                return self._shown(path, shown)
            case Refused() as refused:
                return Outcome(tuple(self._refused(path, refused)))
            case Music() as music:
                return Outcome(tuple(self._music(path, music)))

    def _shown(self, path: Path, shown: Shown) -> Outcome:
        try:
            media_id = self.studio.upload(path)
        except PermanentError as error:
            return Outcome((f"refused: {error.code}: {error}",))
        rendered = render(self.studio, spec_of(media_id))
        if isinstance(rendered, str):
            return Outcome((rendered,))
        faults = differences(rendered, shown)
        if shown.noted and not self._notes(media_id):
            faults.append("note: the plan says nothing of the clip")
        return Outcome(tuple(faults), rendered.tags)

    def _notes(self, media_id: str) -> list[str]:
        _, plan = self.studio.api.register(self.studio.owner, spec_of(media_id))
        return [note for note in plan.outputs[0].notes if "c0" in note]

    def _refused(self, path: Path, refused: Refused) -> list[str]:
        try:
            media_id = self.studio.upload(path)
        except PermanentError as error:
            faults = [f"refused: {error.code}"] if error.code != refused.code else []
            text = str(error).replace(path.name, "").lower()
            if refused.names.lower() not in text:
                faults.append(f"message without {refused.names}: {error}")
            return faults
        # Pictures are judged when they are rendered.
        view = self.studio.render(spec_of(media_id))
        reason = view.clips[0].reason
        return [] if reason == refused.code else [f"{reason}, instead of {refused.code}"]

    def _music(self, path: Path, music: Music) -> list[str]:
        try:
            music_id = self.studio.upload(path, MediaKind.MUSIC)
        except PermanentError as error:
            return [f"refused: {error.code}: {error}"]
        silent = self.studio.upload(self.files.silent_clip(music.seconds + 1))
        track = {"mediaId": music_id, "gain": "0dB", "loop": False, "fadeOut": "0s"}
        rendered = render(self.studio, spec_of(silent, music=track))
        if isinstance(rendered, str):
            return [rendered]
        end_s = heard_until(rendered.sound, music.hertz)
        if abs(end_s - music.seconds) > music.slack_s:
            return [f"music: {end_s:.2f} s are heard, not {music.seconds:.2f} s"]
        return []


def render(studio: Studio, spec: dict[str, Any]) -> Rendered | str:
    """Render a spec of library media; return the result, or why there is none."""
    view = studio.render(spec)
    if view.state is not CompilationState.SUCCEEDED:
        return f"not rendered: {view.reason}: {view.message}"
    return read(download(studio, view))


def download(studio: Studio, view: CompilationView) -> Path:
    """Download the first output of a compilation that succeeded."""
    output = view.outputs[0]
    path = studio.folder / f"{view.id}.{output.container}"
    studio.user.download_output(view.id, output.name, path)
    return path
