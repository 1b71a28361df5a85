"""Measure everything at once against one ffmpeg command that does it too.

Run `python -m benchmarks.full`. Eight clips with crossfades between all, a card on each, a logo
over everything and ducked music. The bare command gets the images of cards and logo as files.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from PIL import Image

from benchmarks import clips, meter
from benchmarks.meter import Cost, spread
from benchmarks.render import COUNT, SECONDS, fitted, gain_db, result_rows
from clipmill.protocol import Card, Layer
from clipmill.protocol import Image as ImageFile
from clipmill.spec import Output
from clipmill.timeline.profiles import build_profile
from clipmill_api.accounts.watermark import DEFAULT_IMAGE
from clipmill_job.drawing.layer_drawing import draw_layer
from clipmill_job.ffmpeg_binary import find_ffmpeg
from clipmill_probe import probe_media

CROSSFADE_S = 0.5
CARD_S = (1.0, 3.0)
FADE_S = 0.3
LOGO = {"position": "TopRight", "size": 8}


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.full", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="rounds; medians are printed")
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="clipmill-bench-") as scratch:
        folder = Path(scratch)
        sources = clips.make(folder / "clips", COUNT, SECONDS, clips.FORMS)
        music = _music(folder)
        bare: list[Cost] = []
        cold: list[Cost] = []
        part: list[float] = []
        swapped: list[Cost] = []
        edited: list[Cost] = []
        for i in range(rounds):
            state = f"state-{i}"
            command = bare_command(sources, music, folder)
            bare.append(meter.run(command))
            cold.append(render(folder, sources, music, state))
            part.append(json.loads((folder / "out/report.json").read_text())["seconds"]["assemble"])
            if i + 1 == rounds:
                result = result_rows(folder, command)
            swapped.append(render(folder, _swapped(sources), music, state))
            edited.append(render(folder, sources, music, state, ends={2: "4s"}))
    wall, processor = meter.ratios(cold, bare)
    job = [seconds / cost.wall_s for seconds, cost in zip(part, bare, strict=True)]
    rows = [
        ("one bare ffmpeg command, all filters", meter.walls(bare), "", ""),
        ("cold: the assemble job", spread(part), f"{spread(job, 2, '')} of bare", "1.10"),
        ("cold: the whole command", meter.walls(cold), f"{wall} of bare", "1.25"),
        ("cold: processor time", "", f"{processor} of bare", "1.15"),
        *result,
        (
            "two clips swapped, so three crossfades",
            meter.walls(swapped),
            f"{meter.shares(swapped, cold)} of cold",
            "",
        ),
        ("one trim edited", meter.walls(edited), f"{meter.shares(edited, cold)} of cold", "18 %"),
    ]
    meter.print_figures(rows)


def _swapped(sources: Sequence[Path]) -> list[Path]:
    """Swap the fourth clip and the fifth: what they fade into changes."""
    return [*sources[:3], sources[4], sources[3], *sources[5:]]


def _music(folder: Path) -> Path:
    path = folder / "music.mp3"
    meter.run(
        (
            find_ffmpeg().path,
            "-v",
            "error",
            "-f",
            "lavfi",
            "-i",
            "sine=220:r=44100:d=60",
            str(path),
        )
    )
    return path


def render(
    folder: Path,
    sources: Sequence[Path],
    music: Path,
    state: str,
    ends: dict[int, str] | None = None,
) -> Cost:
    """Run `clipmill render`; `ends` trims clips by their index."""
    edit: list[dict[str, Any]] = []
    for i, path in enumerate(sources):
        clip: dict[str, Any] = {
            "url": str(path),
            "credit": {"creator": f"Player {int(path.name[:2])}", "game": "Chess"},
        }
        clip |= {"end": ends[i]} if ends and i in ends else {}
        transition = {"transition": {"type": "Fade", "duration": f"{round(CROSSFADE_S * 1000)}ms"}}
        edit.append({**clip, **(transition if i else {})})
    start, end = CARD_S
    card = {"start": f"{start:g}s", "duration": f"{end - start:g}s", "fade": f"{FADE_S * 1000:g}ms"}
    spec = {
        "clips": edit,
        "creatorCard": card,
        "overlays": [{"url": str(DEFAULT_IMAGE), **LOGO}],
        "music": {"url": str(music)},
        "outputs": [{"name": "main", "preset": "youtube"}],
    }
    head = {"apiVersion": "clipmill.dev/v1alpha1", "kind": "Compilation"}
    path = folder / "full.yaml"
    path.write_text(yaml.safe_dump({**head, "metadata": {"name": "full"}, "spec": spec}))
    shutil.rmtree(folder / "out", ignore_errors=True)
    program = (meter.program("clipmill"), "render", str(path), "-o", str(folder / "out"))
    return meter.run((*program, "--state", str(folder / state)))


# --- the bare command -----------------------------------------------------------------------------


def bare_command(sources: Sequence[Path], music: Path, folder: Path) -> tuple[str, ...]:
    """Return one ffmpeg command that does the same: fit, overlays, crossfades, music."""
    profile = build_profile(Output(name="main", preset="youtube"))
    logo = Layer.model_validate({"image": ImageFile(sha256="0" * 64), **LOGO})
    images = [_draw(logo, folder / "logo.png", {"0" * 64: DEFAULT_IMAGE})]
    inputs = [*("-i", str(music)), *images[0][0]]
    graph, pictures, sounds = (
        [f"[1:v]format=yuva420p,split={len(sources)}{_names('logo', sources)}"],
        [],
        [],
    )
    for i, path in enumerate(sources):
        card = Layer(card=Card(creator=f"Player {i}", game="Chess"))
        opened, place = _draw(card, folder / f"card-{i}.png", {})
        inputs += [
            "-i",
            str(path),
            "-loop",
            "1",
            "-framerate",
            str(profile.rate),
            "-t",
            "2",
            *opened,
        ]
        facts = probe_media(path)
        graph += _clip(i, gain_db(facts), fitted(facts, profile), logo=images[0][1], card=place)
        pictures.append(f"p{i}")
        sounds.append(f"s{i}")
    graph += _joined(pictures, sounds)
    graph += _mixed()
    return (
        *(find_ffmpeg().path, "-nostdin", "-v", "error", "-y", *inputs),
        *("-filter_complex", ";".join(graph), "-map", "[v]", "-map", "[a]"),
        *("-c:v", "libx264", "-preset", profile.speed, "-crf", str(profile.crf)),
        *("-maxrate", str(profile.max_bitrate), "-bufsize", str(2 * profile.max_bitrate)),
        *("-bf", "2", "-g", str(2 * profile.rate), "-c:a", "aac", "-b:a", "192k"),
        *("-movflags", "+faststart", str(folder / "bare.mp4")),
    )


def _names(name: str, sources: Sequence[Path]) -> str:
    return "".join(f"[{name}{i}]" for i in range(len(sources)))


def _draw(layer: Layer, path: Path, files: dict[str, Path]) -> tuple[list[str], str]:
    image, x, y = draw_layer(layer, (1920, 1080), files)
    _saved(image, path)
    return ["-i", str(path)], f"{x}:{y}"


def _saved(image: Image.Image, path: Path) -> None:
    image.save(path, "PNG", compress_level=1)


def _clip(i: int, gain: float, fit: str, *, logo: str, card: str) -> list[str]:
    start, end = CARD_S
    video, still = 2 + 2 * i, 3 + 2 * i
    fades = f"fade=in:d={FADE_S}:alpha=1,fade=out:st={end - start - FADE_S}:d={FADE_S}:alpha=1"
    return [
        f"[{video}:v]{fit}[f{i}]",
        f"[{still}:v]format=yuva420p,{fades},setpts=PTS+{start}/TB[card{i}]",
        f"[f{i}][card{i}]overlay={card}:eof_action=pass:enable='between(t,{start},{end})'[c{i}]",
        f"[c{i}][logo{i}]overlay={logo},settb=1/30[p{i}]",
        f"[{video}:a]aresample=48000,aformat=channel_layouts=stereo,volume={gain:.2f}dB[s{i}]",
    ]


def _joined(pictures: list[str], sounds: list[str]) -> list[str]:
    graph, picture, sound, length = [], pictures[0], sounds[0], float(SECONDS)
    for i in range(1, len(pictures)):
        last = i + 1 == len(pictures)
        video, audio = ("v", "all") if last else (f"x{i}", f"y{i}")
        at = f"duration={CROSSFADE_S}:offset={length - CROSSFADE_S}"
        graph.append(f"[{picture}][{pictures[i]}]xfade=fade:{at}[{video}]")
        graph.append(f"[{sound}][{sounds[i]}]acrossfade=d={CROSSFADE_S}:c1=qsin:c2=qsin[{audio}]")
        picture, sound, length = video, audio, length + SECONDS - CROSSFADE_S
    return graph


def _mixed() -> list[str]:
    duck = "sidechaincompress=threshold=0.02:ratio=20:attack=1:release=250"
    return [
        "[all]asplit[programme][key]",
        "[0:a]aresample=48000,aformat=channel_layouts=stereo,volume=-12dB[music]",
        f"[music][key]{duck}[under]",
        "[programme][under]amix=inputs=2:normalize=0:duration=first[a]",
    ]


if __name__ == "__main__":
    main()
