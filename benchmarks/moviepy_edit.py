"""Render the edit by MoviePy, in MoviePy's own environment: `python moviepy_edit.py EDIT.json`."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path


def main(path: str) -> None:
    """Read, compose and write the edit."""
    edit = json.loads(Path(path).read_text())
    os.environ["FFMPEG_BINARY"] = edit["ffmpeg"]
    from moviepy import (  # noqa: PLC0415  it reads FFMPEG_BINARY as it is loaded
        AudioFileClip,
        CompositeAudioClip,
        CompositeVideoClip,
        TextClip,
        VideoFileClip,
        afx,
        vfx,
    )

    width, height = edit["size"]
    fade, at, placed = edit["fade"], 0.0, []
    for i, (source, start, end) in enumerate(edit["trims"]):
        clip = VideoFileClip(source, target_resolution=fitted(source, width, height))
        clip = clip.subclipped(start, end).with_position("center")
        effects = [vfx.CrossFadeIn(fade), afx.AudioFadeIn(fade)] if i > 1 else []
        effects += [afx.AudioFadeOut(fade)] if 0 < i < len(edit["trims"]) - 1 else []
        at -= fade if i > 1 else 0.0
        placed.append(clip.with_effects(effects).with_start(at))
        at += end - start
    text, start, end, font = edit["text"]
    line = TextClip(font=font, text=text, font_size=round(height * 0.06), color="white")
    line = line.with_duration(end - start).with_start(placed[1].start + start)
    placed.append(line.with_position(("center", round(height * 0.88))))
    whole = CompositeVideoClip(placed, size=(width, height)).with_duration(at)
    source, gain = edit["music"]
    music = AudioFileClip(source).with_effects([afx.AudioLoop(duration=at)])
    music = music.with_volume_scaled(gain)
    whole = whole.with_audio(CompositeAudioClip([whole.audio, music]).with_duration(at))
    encoder = edit["encoder"]
    preset = encoder.index("-preset")
    Path(edit["out"]).parent.mkdir(exist_ok=True)
    whole.write_videofile(
        edit["out"],
        fps=edit["rate"],
        codec="libx264",
        preset=encoder[preset + 1],
        audio_codec="aac",
        audio_bitrate="192k",
        audio_fps=48000,
        ffmpeg_params=[*encoder[preset + 2 :], "-movflags", "+faststart"],
        temp_audiofile_path=str(Path(edit["out"]).parent),
        logger=None,
    )


def fitted(source: str, width: int, height: int) -> tuple[int, int]:
    """Return the size that fits into the frame. ffmpeg scales to it, MoviePy's quickest way."""
    from moviepy import VideoFileClip  # noqa: PLC0415

    with VideoFileClip(source, audio=False) as clip:
        scale = min(width / clip.w, height / clip.h)
        return round(clip.w * scale / 2) * 2, round(clip.h * scale / 2) * 2


if __name__ == "__main__":
    main(sys.argv[1])
