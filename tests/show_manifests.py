"""Valid and invalid specs of shows, on which the models and a live API server must agree."""

from __future__ import annotations

from typing import Any

import yaml

from manifests import ROOT, Spec

FEED = {"feed": {"url": "https://example.org/clips.xml"}}
TWITCH = {"games": ["Chess"], "credentials": "my-twitch"}


def _show(**more: Any) -> Spec:
    return {"schedule": "0 18 * * FRI", "sources": [FEED], **more}


def _twitch(**more: Any) -> Spec:
    return _show(sources=[{"twitch": {"credentials": "my-twitch", **more}}])


GOOD_SHOWS: dict[str, Spec] = {
    "a feed": _show(),
    "every field": _show(
        owner="ada",
        schedule="*/20 1,2 L JAN-MAR *",
        timeZone="Europe/Berlin",
        suspend=True,
        concurrencyPolicy="Replace",
        startingDeadlineSeconds=3600,
        approval="Required",
        sources=[
            {"twitch": {**TWITCH, "languages": ["en"], "minimumViews": 100, "most": 500}},
            {"discord": {"channel": "112233445566778899", "credentials": "my-bot"}},
            {"list": {"url": "https://www.youtube.com/@example/shorts", "most": 30}},
            {"library": {"kinds": ["Clip"], "uploadedWithin": "1d12h"}},
            FEED,
        ],
        select={
            "window": "36h", "most": 12, "minimum": 5, "longest": "8m", "clipDuration": "0:30",
            "order": "Random", "play": "Chronological", "perCreator": 2, "minimumViews": 1,
            "languages": ["en", "pt-BR"], "unused": False,
        },
        parameters={"game": "Chess", "a1B": ""},
        template={
            "title": "${game}: ${week} $${x}",
            "minimumClips": 5,
            "overlays": [{"text": "${game}"}],
            "music": {"mediaId": "m-song", "credit": {"artist": "${game}"}},
            "outputs": [{"name": "main", "preset": "youtube"}],
        },
        notify=["my-hook"],
        history={"successful": 0, "failed": 1000},
    ),
    "the most sources": _show(sources=[FEED] * 20),
    "the most parameters": _show(parameters={f"p{n}": "x" * 200 for n in range(40)}),
    "as many clips as the minimum": _show(select={"most": 3, "minimum": 3}),
    "broadcasters": _twitch(broadcasters=["ann", "ben"]),
    "clips by ids, and empty lists": _twitch(ids=["One"], games=[], broadcasters=[]),
    "a preview of a draft": _show(template={"quality": "Draft", "preview": "FirstSeconds"}),
    "a schedule with more spaces": _show(schedule="  0   18 * * 5  "),
}  # fmt: skip
# Each with what the error message has to name: a field, or a limit.
BAD_SHOWS: dict[str, tuple[Spec, str]] = {
    "no schedule": ({"sources": [FEED]}, "schedule"),
    "a schedule of six fields": (_show(schedule="0 0 18 * * FRI"), "five"),
    "a name of a schedule": (_show(schedule="@weekly"), "five"),
    "no sources": (_show(sources=[]), "sources"),
    "a source of nothing": (_show(sources=[{}]), "library"),
    "a source of two": (_show(sources=[{**FEED, "library": {}}]), "library"),
    "two queries": (_twitch(games=["Chess"], ids=["One"]), "broadcasters"),
    "no query": (_twitch(games=[]), "broadcasters"),
    "no credentials": (_show(sources=[{"twitch": {"games": ["Chess"]}}]), "credentials"),
    "a channel by name": (
        _show(sources=[{"discord": {"channel": "general", "credentials": "my-bot"}}]),
        "channel",
    ),
    "a duration without unit": (_show(select={"window": "7"}), "window"),
    "a minimum above the most": (_show(select={"most": 3, "minimum": 4}), "minimum"),
    "a minimum above the default of most": (_show(select={"minimum": 11}), "minimum"),
    "too many clips": (_show(select={"most": 501}), "most"),
    "an unknown order": (_show(select={"order": "Best"}), "order"),
    "a name of a parameter": (_show(parameters={"Game": "Chess"}), "parameters"),
    "too many parameters": (_show(parameters={f"p{n}": "" for n in range(41)}), "parameters"),
    "a parameter too long": (_show(parameters={"game": "x" * 201}), "parameters"),
    "a template with clips": (_show(template={"clips": [{"mediaId": "m-abcd"}]}), "clips"),
    "a template with an owner": (_show(template={"owner": "ada"}), "owner"),
    "more clips than the minimum": (_show(template={"minimumClips": 2}), "minimumClips"),
    "a preview of the final quality": (_show(template={"preview": "FirstSeconds"}), "Draft"),
    "a bad overlay": (_show(template={"overlays": [{"text": "x", "fade": "6s"}]}), "fade"),
    "an unknown policy": (_show(concurrencyPolicy="Queue"), "concurrencyPolicy"),
    "a deadline too short": (_show(startingDeadlineSeconds=9), "startingDeadlineSeconds"),
    "an unknown field": (_show(image="evil:latest"), "image"),
}
# Refused by the models only, since CEL knows neither cron expressions nor zones nor placeholders.
BAD_FOR_MODELS: dict[str, tuple[Spec, str]] = {
    "an impossible date": (_show(schedule="0 0 30 2 *"), "schedule"),
    "an unknown zone": (_show(timeZone="Mars/Olympus"), "timeZone"),
    "an unknown parameter": (_show(template={"title": "${gmae}"}), "gmae"),
    "a built-in parameter": (_show(parameters={"week": "1"}), "week"),
    "a duration of nothing": (_show(select={"window": "0d"}), "window"),
}


def show_manifest(spec: Spec, name: str = "test") -> dict[str, Any]:
    """Return a Show with this spec."""
    return {
        "apiVersion": "clipmill.dev/v1alpha1",
        "kind": "Show",
        "metadata": {"name": name},
        "spec": spec,
    }


def show_samples() -> dict[str, dict[str, Any]]:
    """Return the project's samples of shows by file name."""
    files = sorted((ROOT / "manifests" / "samples").glob("*.yaml"))
    documents = {file.name: yaml.safe_load(file.read_text()) for file in files}
    return {name: each for name, each in documents.items() if each["kind"] == "Show"}
