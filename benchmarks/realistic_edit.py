"""The realistic edit: as a manifest for Clipmill, and as one bare ffmpeg command.

Trims of 15 s of clips of a stream, to 1080p60 and to a vertical 1080x1920, with creator cards,
crossfades and ducked music.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from benchmarks import stream_clips
from benchmarks.quality import loudness
from benchmarks.render import TARGET_LUFS
from clipmill.protocol import Card, Layer, Profile
from clipmill.spec import Output
from clipmill.timeline.profiles import build_profile
from clipmill_job.drawing.layer_drawing import draw_layer
from clipmill_job.ffmpeg_binary import find_ffmpeg

TRIM_S, FADE_S = 15.0, 0.5
CARD_S, CARD_FADE_S = (1.0, 4.0), 0.3
MUSIC_DB = -12
OUTPUTS: tuple[dict[str, Any], ...] = (
    {"name": "main", "preset": "twitch"},
    {"name": "vertical", "preset": "youtube_shorts", "fit": "Cover"},
)


@dataclass(frozen=True, slots=True)
class Play:
    """15 s of a clip, or less; `start` and `seconds` in s."""

    path: Path
    creator: str
    start: float
    seconds: float = TRIM_S


def plays_of(paths: Sequence[Path], count: int) -> list[Play]:
    """Return `count` trims, each clip used again with another start once all have been used."""
    plays = []
    for i in range(count):
        clip, turn = i % len(paths), i // len(paths)
        free = stream_clips.length_s(clip) - TRIM_S
        start = round((0.3 + 0.37 * turn + 0.11 * i) % 1 * free * 2) / 2
        plays.append(Play(paths[clip], f"Player {clip}", start))
    return plays


def edited(plays: Sequence[Play]) -> list[Play]:
    """Return the edit with three trims changed: one second shorter at the end."""
    some = {len(plays) // 4, len(plays) // 2, len(plays) - 1}
    return [replace(p, seconds=p.seconds - 1) if i in some else p for i, p in enumerate(plays)]


def reordered(plays: Sequence[Play]) -> list[Play]:
    """Return the edit with two clips in the middle swapped, so that three crossfades are new.

    The first and the last clip fade on one side only: another one in their place is played longer.
    """
    i = len(plays) // 2
    return [*plays[: i - 1], plays[i], plays[i - 1], *plays[i + 1 :]]


def frames(plays: Sequence[Play], rate: int) -> int:
    """Return the length of an output in frames."""
    return round((sum(p.seconds for p in plays) - (len(plays) - 1) * FADE_S) * rate)


def write_manifest(plays: Sequence[Play], music: Path, path: Path) -> None:
    """Write the edit as a manifest."""
    clips: list[dict[str, Any]] = []
    for i, play in enumerate(plays):
        clip: dict[str, Any] = {
            "url": str(play.path),
            "start": f"{play.start:g}s",
            "end": f"{play.start + play.seconds:g}s",
            "credit": {"creator": play.creator, "game": "Chess"},
        }
        fade = {"type": "Fade", "duration": f"{FADE_S * 1000:g}ms"}
        clips.append({**clip, "transition": fade} if i else clip)
    start, end = CARD_S
    card = {
        "start": f"{start:g}s",
        "duration": f"{end - start:g}s",
        "fade": f"{CARD_FADE_S * 1000:g}ms",
    }
    spec = {
        "clips": clips,
        "creatorCard": card,
        "music": {"url": str(music)},
        "outputs": list(OUTPUTS),
    }
    head = {"apiVersion": "clipmill.dev/v1alpha1", "kind": "Compilation"}
    path.write_text(yaml.safe_dump({**head, "metadata": {"name": "realistic"}, "spec": spec}))


def profiles() -> list[Profile]:
    """Return the encoding of each output."""
    return [build_profile(Output(**output)) for output in OUTPUTS]


def bare_command(plays: Sequence[Play], music: Path, folder: Path) -> tuple[str, ...]:
    """Return one ffmpeg command that decodes each clip once for both outputs."""
    length = frames(plays, 60) / 60
    inputs, graph = ["-stream_loop", "-1", "-t", f"{length:g}", "-i", str(music)], []
    encodings = profiles()
    for i, play in enumerate(plays):
        trim = ("-ss", f"{play.start:g}", "-t", f"{play.seconds:g}")
        cards = [_card(play, profile, folder, f"{i}-{n}") for n, profile in enumerate(encodings)]
        inputs += [*trim, "-i", str(play.path)]
        for path, _ in cards:
            inputs += ["-i", str(path)]
        video = 1 + i * (1 + len(cards))
        graph.append(f"[{video}:v]split={len(cards)}{_labels(f'd{i}', len(cards))}")
        for n, (profile, (_, place)) in enumerate(zip(encodings, cards, strict=True)):
            graph += _picture(i, n, profile=profile, card=f"{video + 1 + n}:v", place=place)
        gain = f"volume={TARGET_LUFS - (loudness(play.path, *trim) or TARGET_LUFS):.2f}dB"
        graph.append(f"[{video}:a]aresample=48000,aformat=channel_layouts=stereo,{gain}[s{i}]")
    graph += _crossfades(plays, encodings)
    outputs = [part for n, profile in enumerate(encodings) for part in _output(n, profile, folder)]
    program = (find_ffmpeg().path, "-nostdin", "-v", "error", "-y")
    return (*program, *inputs, "-filter_complex", ";".join(graph), *outputs)


def _labels(name: str, count: int) -> str:
    return "".join(f"[{name}-{n}]" for n in range(count))


def _card(play: Play, profile: Profile, folder: Path, name: str) -> tuple[Path, str]:
    layer = Layer.model_validate(
        {"card": Card(creator=play.creator, game="Chess"), "position": "BottomLeft"}
    )
    image, x, y = draw_layer(layer, profile.size, {})
    path = folder / f"card-{name}.png"
    image.save(path, "PNG", compress_level=1)
    return path, f"{x}:{y}"


def _picture(i: int, n: int, *, profile: Profile, card: str, place: str) -> list[str]:
    width, height, rate = profile.width, profile.height, profile.rate
    start, end = CARD_S
    shown = round((end - start) * rate)
    fit = f"scale={width}:{height}:force_original_aspect_ratio=increase,crop={width}:{height}"
    fade = f"d={CARD_FADE_S}:alpha=1"
    fades = f"fade=in:{fade},fade=out:st={end - start - CARD_FADE_S}:{fade}"
    # The image is decoded and converted once.
    repeated = f"loop={shown - 1}:1,settb=1/{rate},setpts=N"
    converted = "scale=out_color_matrix=bt709:out_range=tv,format=yuva420p"
    return [
        f"[d{i}-{n}]fps={rate},{fit},setsar=1,format=yuv420p[f{i}-{n}]",
        f"[{card}]{converted},{repeated},{fades},setpts=PTS+{start:g}/TB[c{i}-{n}]",
        f"[f{i}-{n}][c{i}-{n}]overlay={place}:eof_action=pass"
        f":enable='between(n,{round(start * rate)},{round(end * rate) - 1})',"
        f"settb=1/{rate}[p{i}-{n}]",
    ]


def _crossfades(plays: Sequence[Play], encodings: Sequence[Profile]) -> list[str]:
    graph = []
    for n in range(len(encodings)):
        end, picture = plays[0].seconds, f"p0-{n}"
        for i, play in enumerate(plays[1:], 1):
            at = f"duration={FADE_S}:offset={end - FADE_S:g}"
            graph.append(f"[{picture}][p{i}-{n}]xfade=fade:{at}[x{i}-{n}]")
            picture, end = f"x{i}-{n}", end + play.seconds - FADE_S
        tags = "colorspace=bt709:color_primaries=bt709:color_trc=bt709:range=tv"
        graph.append(f"[{picture}]setparams={tags}[v{n}]")
    sound = "s0"
    for i in range(1, len(plays)):
        graph.append(f"[{sound}][s{i}]acrossfade=d={FADE_S}:c1=qsin:c2=qsin[y{i}]")
        sound = f"y{i}"
    duck = "sidechaincompress=threshold=0.02:ratio=20:attack=1:release=250"
    return [
        *graph,
        f"[{sound}]asplit[programme][key]",
        f"[0:a]aresample=48000,aformat=channel_layouts=stereo,volume={MUSIC_DB}dB[music]",
        f"[music][key]{duck}[under]",
        "[programme][under]amix=inputs=2:normalize=0:duration=first,asplit"
        f"={len(encodings)}{''.join(f'[a{n}]' for n in range(len(encodings)))}",
    ]


def _output(n: int, profile: Profile, folder: Path) -> tuple[str, ...]:
    return (
        *("-map", f"[v{n}]", "-map", f"[a{n}]", "-c:v", "libx264", "-preset", profile.speed),
        *("-crf", str(profile.crf), "-maxrate", str(profile.max_bitrate)),
        *("-bufsize", str(2 * profile.max_bitrate), "-bf", "2", "-g", str(2 * profile.rate)),
        *("-c:a", "aac", "-b:a", "192k", "-movflags", "+faststart", str(bare_path(folder, n))),
    )


def bare_path(folder: Path, n: int) -> Path:
    """Return where the bare command writes an output."""
    return folder / f"bare-{n}.mp4"
