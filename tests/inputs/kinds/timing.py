"""Time: rates, start times, edit lists and delays."""

from __future__ import annotations

from inputs.cards import Card, Tone
from inputs.kinds.parts import AAC, CARD, DELAY_S, TONE, X264, clip, pixels
from inputs.recipe import (
    Ffmpeg,
    Heard,
    Recipe,
    Shown,
    only,
    steady,
)

PLAYS = "Plays."
ON_THE_GRID = "Each output frame shows the picture of its moment."
VIDEO = (*pixels(), *X264)
# In MPEG-TS the sound begins earlier than the picture, by the encoder's delay.
TS_PICTURES = steady(at_s=DELAY_S)
TS_SHOWN = Shown(slack_frames=1, pictures=TS_PICTURES, flash_s=1 + DELAY_S, beep_s=1 + DELAY_S)


def _rate(name: str, rate: str, pictures: int, title: str) -> Recipe:
    return Recipe(
        name=f"rate-{name}",
        title=title,
        treatment=ON_THE_GRID,
        file="a.mp4",
        steps=(clip("a.mp4", card=Card(rate=rate)),),
        outcome=Shown(pictures=steady(rate, pictures)),
        has={"frames": (pictures, 0)},
    )


RATES = (
    _rate("23.976", "24000/1001", 48, "23.976 frames a second"),
    _rate("24", "24", 48, "24 frames a second"),
    _rate("25", "25", 50, "25 frames a second"),
    _rate("29.97", "30000/1001", 60, "29.97 frames a second"),
    _rate("50", "50", 100, "50 frames a second"),
    _rate("59.94", "60000/1001", 120, "59.94 frames a second"),
    _rate("120", "120", 240, "120 frames a second"),
    Recipe(
        name="rate-variable",
        title="Variable frame rate (phones, screen recorders)",
        treatment=ON_THE_GRID,
        file="a.mp4",
        steps=(
            clip(
                "a.mp4",
                "-fps_mode",
                "vfr",
                video=(*pixels(then="select='not(between(n,10,24))*gt(mod(n,3),0)'"), *X264),
            ),
        ),
        outcome=Shown(
            pictures=only(steady(), {n for n in range(60) if not 10 <= n <= 24 and n % 3}),
        ),
        has={"frames": (30, 0)},
    ),
    Recipe(
        name="one-short-frame",
        row="M",
        title="A single frame, shorter than half an output frame",
        treatment="One frame.",
        file="a.mp4",
        steps=(clip("a.mp4", card=Card(rate="120", seconds=0.005, first=5), tone=None),),
        outcome=Shown(frames=1, pictures=((0.0, 5),), flash_s=None, sound=None, beep_s=None),
        has={"frames": (1,), "ends_s": (1 / 120,)},
    ),
)

STARTS = (
    Recipe(
        name="starts-at-100-s",
        row="H",
        title="Start time 100 s in Matroska",
        treatment="Plays from its first picture.",
        file="late.mkv",
        steps=(clip("late.mkv", "-output_ts_offset", "100"),),
        outcome=Shown(slack_frames=1),
        has={"start_s": 100.0},
    ),
    Recipe(
        name="starts-at-100-s-silent",
        row="H",
        title="Start time 100 s, without sound",
        treatment="Plays from its first picture.",
        file="late.mkv",
        steps=(clip("late.mkv", "-output_ts_offset", "100", tone=None),),
        outcome=Shown(sound=None, beep_s=None),
        has={"start_s": 100.0},
    ),
    Recipe(
        name="starts-at-100-s-ts",
        row="H",
        title="Start time 100 s in MPEG-TS",
        treatment="Plays from its first picture.",
        file="late.ts",
        steps=(clip("late.ts", "-output_ts_offset", "100"),),
        outcome=TS_SHOWN,
        has={"start_s": 101.4 - DELAY_S},
    ),
    Recipe(
        name="starts-at-100-s-mp4",
        row="H",
        title="Fragmented MP4 whose clock starts at 100 s (a part of a stream)",
        treatment="Plays from its first picture.",
        file="late.mp4",
        steps=(
            clip(
                "late.mp4",
                *("-output_ts_offset", "100", "-avoid_negative_ts", "disabled"),
                *("-use_editlist", "0", "-movflags", "+frag_keyframe+empty_moov+frag_discont"),
            ),
        ),
        outcome=TS_SHOWN,
        has={"start_s": 100 - DELAY_S},
    ),
    Recipe(
        name="negative-composition-offsets",
        title="B-frames by negative composition offsets",
        treatment=PLAYS,
        file="a.mp4",
        steps=(
            clip(
                "a.mp4",
                *("-movflags", "+negative_cts_offsets"),
                video=(*pixels(), *X264, "-preset", "medium"),
            ),
        ),
        has={"start_s": 0.0, "frames": (60, 0)},
    ),
    Recipe(
        name="edit-list",
        title="Edit list that hides the pictures before the cut (copied from a longer recording)",
        treatment="What the edit list hides is not shown.",
        file="cut.mp4",
        steps=(
            clip(
                "whole.mp4",
                *("-g", "30", "-bf", "2"),
                card=Card(seconds=2.5, flash_s=1.5),
                tone=Tone(seconds=2.5, beep_s=1.5),
                video=(*pixels(), *X264, "-preset", "medium"),
            ),
            Ffmpeg(("-ss", "0.5", "-i", "whole.mp4", "-c", "copy", "cut.mp4")),
        ),
        outcome=Shown(pictures=steady(first=15)),
        has={"start_s": 0.0, "ends_s": (2.0, 2.0)},
    ),
    Recipe(
        name="b-frames",
        title="B-frames",
        treatment=PLAYS,
        file="a.mp4",
        steps=(clip("a.mp4", "-bf", "3", video=(*pixels(), *X264, "-preset", "medium")),),
        has={"start_s": 0.0, "frames": (60, 0)},
    ),
    Recipe(
        name="sound-late",
        title="Sound that starts 300 ms after the picture",
        treatment="Silent until the sound starts.",
        file="a.mp4",
        steps=(Ffmpeg((CARD, "-itsoffset", "0.3", Tone(seconds=1.7), *VIDEO, *AAC, "a.mp4")),),
        outcome=Shown(beep_s=1.3, sound=Heard(from_s=0.3)),
        has={"starts_s": (0.0, 0.3 - DELAY_S)},
    ),
    Recipe(
        name="picture-late",
        title="Picture that starts 500 ms after the sound",
        treatment="The first picture is held from the start of the sound.",
        file="a.mkv",
        steps=(
            Ffmpeg(
                ("-itsoffset", "0.5", Card(seconds=1.5, flash_s=0.5), TONE, *VIDEO, *AAC, "a.mkv")
            ),
        ),
        outcome=Shown(pictures=steady(count=45, at_s=0.5), slack_frames=1),
        has={"start_s": 0.0},
    ),
    Recipe(
        name="unused-track-earlier",
        row="J",
        title="MPEG-TS with a track that is not played and starts 1 s earlier",
        treatment="Streams that are not played count for nothing.",
        file="a.ts",
        steps=(
            Ffmpeg((Tone(seconds=3, beep_s=None), *AAC, "other.mkv")),
            Ffmpeg(
                (
                    *("-itsoffset", "1", CARD, "-itsoffset", "1", TONE, "-i", "other.mkv"),
                    *("-map", "0:v", "-map", "1:a", "-map", "2:a", *VIDEO, *AAC, "a.ts"),
                )
            ),
        ),
        outcome=TS_SHOWN,
        has={"codecs": ("video:h264", "audio:aac", "audio:aac")},
    ),
    Recipe(
        name="unused-track-earlier-mkv",
        row="J",
        title="Matroska with a track that is not played and starts 1 s earlier",
        treatment="Streams that are not played count for nothing.",
        file="a.mkv",
        steps=(
            Ffmpeg(
                (
                    *("-itsoffset", "1", CARD, "-itsoffset", "1", TONE, Tone(seconds=3)),
                    *("-map", "0", "-map", "1", "-map", "2", *VIDEO, *AAC, "a.mkv"),
                )
            ),
        ),
        outcome=Shown(slack_frames=1),
        has={"starts_s": (1.0, 1.0, 0.0)},
    ),
    Recipe(
        name="picture-late-ts",
        row="J",
        title="MPEG-TS whose picture starts 500 ms after the sound",
        treatment="The first picture is held from the start of the sound.",
        file="a.ts",
        steps=(
            Ffmpeg(
                ("-itsoffset", "0.5", Card(seconds=1.5, flash_s=0.5), TONE, *VIDEO, *AAC, "a.ts")
            ),
        ),
        outcome=Shown(
            pictures=steady(count=45, at_s=0.5 + DELAY_S),
            flash_s=1 + DELAY_S,
            beep_s=1 + DELAY_S,
            slack_frames=1,
        ),
    ),
    Recipe(
        name="gap-mkv",
        title="Matroska in which half a second has no pictures and no sound",
        treatment="The last picture before the gap is held; the sound stays in time.",
        file="a.mkv",
        steps=(
            clip(
                "a.mkv",
                *("-af", "aselect='not(between(t,0.3,0.8))'", "-fps_mode", "vfr"),
                video=(*pixels(then="select='not(between(n,9,23))'"), *X264),
                audio=("-c:a", "pcm_s16le"),
            ),
        ),
        outcome=Shown(
            pictures=only(steady(), {n for n in range(60) if not 9 <= n <= 23}),
            slack_frames=1,
            sync_ms=45,
        ),
    ),
    Recipe(
        name="last-frame-without-duration",
        title="Last picture without a duration (cut by a copying tool)",
        treatment="The last picture is shown for a frame.",
        file="a.mkv",
        steps=(clip("a.mkv", "-default_mode", "passthrough", tone=None),),
        outcome=Shown(sound=None, beep_s=None, slack_frames=1),
    ),
)

RECIPES = (*RATES, *STARTS)
