"""Tracks: which of several plays, and what does not play at all."""

from __future__ import annotations

from inputs.cards import LAYOUTS, Card, Tone
from inputs.kinds.parts import AAC, CARD, TONE, X264, clip, pixels
from inputs.recipe import Ffmpeg, Heard, Patch, Recipe, Refusal, Refused, Shown, Write

VIDEO = (*pixels(), *X264)
OTHER_HZ = 700
OTHER = Tone(hertz=(OTHER_HZ, OTHER_HZ))
OTHER_HEARD = Heard(left=(OTHER_HZ,), right=(OTHER_HZ,))
FIRST = (
    "The stream that a player takes: the one flagged as default, then the most pixels or channels."
)
STILL = Card(seconds=1 / 30, first=255, flash_s=None)
COVERS = "Covers and single pictures are no video as long as there is another."
MUTE = "Plays without the sound, and a note of the plan says so."
SHOWN = Shown(slack_frames=1)

DEFAULTS = (
    Recipe(
        name="second-sound-default",
        row="I",
        title="Two sound tracks, the second flagged as default",
        treatment=FIRST,
        file="a.mkv",
        steps=(
            Ffmpeg(
                (
                    *(CARD, TONE, OTHER, "-map", "0", "-map", "1", "-map", "2", *VIDEO, *AAC),
                    *("-disposition:a:0", "0", "-disposition:a:1", "default", "a.mkv"),
                )
            ),
        ),
        outcome=Shown(slack_frames=1, sound=OTHER_HEARD),
        has={"defaults": (False, False, True)},
    ),
    Recipe(
        name="most-channels",
        row="I",
        title="Two sound tracks without flags: mono, then stereo",
        treatment=FIRST,
        file="a.mkv",
        steps=(
            Ffmpeg(
                (
                    *(CARD, Tone(layout="mono", hertz=(OTHER_HZ,)), TONE),
                    *("-map", "0", "-map", "1", "-map", "2", *VIDEO, *AAC),
                    *("-disposition:a:0", "0", "-disposition:a:1", "0", "a.mkv"),
                )
            ),
        ),
        outcome=SHOWN,
        has={"defaults": (False, False, False), "layouts": ("mono", "stereo")},
    ),
    Recipe(
        name="film-flagged-default",
        row="I",
        title="A still picture first, then a film flagged as default",
        treatment=FIRST,
        file="a.mkv",
        steps=(
            Ffmpeg(
                (
                    *(STILL, CARD, TONE, "-map", "0", "-map", "1", "-map", "2", *pixels()),
                    *("-c:v:0", "mjpeg", "-pix_fmt:v:0", "yuvj420p", "-c:v:1", "libx264"),
                    *("-preset", "ultrafast", *AAC, "-disposition:v:0", "0"),
                    *("-disposition:v:1", "default", "a.mkv"),
                )
            ),
        ),
        outcome=SHOWN,
        has={"frames": (1, 60, 0), "defaults": (False, True, False), "covers": (False,) * 3},
    ),
    Recipe(
        name="still-picture-first",
        row="I",
        title="A still picture first, then a film, without flags",
        treatment=COVERS,
        file="a.mov",
        steps=(
            Ffmpeg(
                (
                    *(Card(seconds=1 / 30, first=255, flash_s=None, width=640, height=360), CARD),
                    *(TONE, "-map", "0", "-map", "1", "-map", "2", *pixels(), "-c:v:0", "png"),
                    *("-pix_fmt:v:0", "rgb24", "-c:v:1", "libx264", "-preset", "ultrafast", *AAC),
                    *("-disposition:v", "0", "a.mov"),
                )
            ),
        ),
        has={"frames": (1, 60, 0), "covers": (False,) * 3},
    ),
    Recipe(
        name="most-pixels",
        row="I",
        title="Two films without flags: a small one, then a large one",
        treatment=FIRST,
        file="a.mkv",
        steps=(
            Ffmpeg(
                (
                    *(Card(width=160, height=90, first=100), CARD, TONE),
                    *("-map", "0", "-map", "1", "-map", "2", *VIDEO, *AAC),
                    *("-disposition:v:0", "0", "-disposition:v:1", "0", "a.mkv"),
                )
            ),
        ),
        outcome=SHOWN,
        has={"frames": (60, 60, 0), "defaults": (False, False, False)},
    ),
    Recipe(
        name="cover-first",
        title="A cover beside the film",
        treatment=COVERS,
        file="a.mp4",
        steps=(
            Ffmpeg(
                (Card(seconds=1 / 30, first=255), "-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "c.jpg")
            ),
            Ffmpeg(
                (
                    *("-i", "c.jpg", CARD, TONE, "-map", "0", "-map", "1", "-map", "2", *pixels()),
                    *("-c:v:0", "mjpeg", "-c:v:1", "libx264", "-preset", "ultrafast", *AAC),
                    *("-disposition:v:0", "attached_pic", "a.mp4"),
                )
            ),
        ),
        has={"covers": (False, False, True)},
    ),
)

TWO_MONO = Ffmpeg(
    (
        *(CARD, Tone(layout="mono"), Tone(layout="mono", hertz=(LAYOUTS["stereo"][1],))),
        *(
            "-filter_complex",
            "[1:a]aformat=channel_layouts=FL[l];[2:a]aformat=channel_layouts=FR[r]",
        ),
        *("-map", "0", "-map", "[l]", "-map", "[r]", *VIDEO, "-c:a", "pcm_s16le", "a.mov"),
    )
)


def _unknown(source: str, out: str) -> tuple[Patch, Patch]:
    """The steps that declare the first AAC track of an MP4 as APAC."""
    return Patch(source, b"mp4a", b"apac", "step.mp4"), Patch("step.mp4", b"esds", b"dapa", out)


SOUNDS = (
    Recipe(
        name="two-mono-tracks",
        row="U",
        title="Two mono tracks declared as left and right (cameras)",
        treatment="Both are heard, each on its side.",
        file="a.mov",
        steps=(TWO_MONO,),
        has={"layouts": ("1 channels (FL)", "1 channels (FR)")},
    ),
    Recipe(
        name="no-sound",
        title="No sound track",
        treatment="Plays silent.",
        file="a.mp4",
        steps=(clip("a.mp4", tone=None),),
        outcome=Shown(sound=None, beep_s=None),
        has={"codecs": ("video:h264",)},
    ),
    Recipe(
        name="unknown-sound",
        row="G",
        title="Sound in a codec that is not known (APAC of phones)",
        treatment=MUTE,
        file="a.mp4",
        steps=(clip("known.mp4"), *_unknown("known.mp4", "a.mp4")),
        outcome=Shown(sound=None, beep_s=None, noted=True),
        has={"codecs": ("video:h264", "audio:none")},
    ),
    Recipe(
        name="unknown-sound-first",
        row="G",
        title="Sound in a codec that is not known, then the same in AAC",
        treatment="The first track that can be decoded is heard.",
        file="a.mp4",
        steps=(
            Ffmpeg(
                (*(CARD, TONE, TONE, "-map", "0", "-map", "1", "-map", "2"), *VIDEO, *AAC, "k.mp4")
            ),
            *_unknown("k.mp4", "a.mp4"),
        ),
        has={"codecs": ("video:h264", "audio:none", "audio:aac")},
    ),
    Recipe(
        name="broken-sound",
        row="K",
        title="Sound of which no packet can be decoded",
        treatment=MUTE,
        file="a.mp4",
        steps=(clip("a.mp4", "-bsf:a", "noise=amount=1"),),
        outcome=Shown(sound=None, beep_s=None, noted=True),
    ),
    Recipe(
        name="sound-alone",
        title="Sound without a picture, as a clip",
        treatment="Refused: it plays as music.",
        file="a.m4a",
        steps=(Ffmpeg((TONE, *AAC, "a.m4a")),),
        outcome=Refused(Refusal.NO_VIDEO),
    ),
)

EXTRAS = (
    Recipe(
        name="subtitles-and-timecode",
        title="Subtitles, chapters and a timecode track beside the film",
        treatment="Only picture and sound play.",
        file="a.mov",
        steps=(
            Write(b"1\n00:00:00,500 --> 00:00:09,000\nwords\n", "lines.srt"),
            Ffmpeg(
                (
                    *(CARD, TONE, "-i", "lines.srt", "-map", "0", "-map", "1", "-map", "2"),
                    *(*VIDEO, *AAC, "-c:s", "mov_text", "-timecode", "01:00:00:00", "a.mov"),
                )
            ),
        ),
        has={"codecs": ("video:h264", "audio:aac", "subtitle:mov_text", "data:none")},
    ),
)

RECIPES = (*DEFAULTS, *SOUNDS, *EXTRAS)
