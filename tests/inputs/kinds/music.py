"""Files of sound as music under the programme."""

from __future__ import annotations

from inputs.cards import Card, Tone
from inputs.kinds.parts import AAC
from inputs.recipe import Ffmpeg, Join, Music, Recipe, Write

TONE = Tone(beep_s=None)
PLAYS = "Plays as music."
COVER = Ffmpeg((Card(seconds=1 / 30, flash_s=None), "-pix_fmt", "yuvj420p", "c.jpg"))


def _music(name: str, title: str, file: str, *args: str, **more: object) -> Recipe:
    return Recipe(
        name=f"music-{name}",
        title=title,
        treatment=PLAYS,
        file=file,
        steps=(Ffmpeg((TONE, *args, file)),),
        outcome=Music(),
        **more,  # type: ignore[arg-type]
    )


NEW = {"row": "Q"}
FORMATS = (
    _music("wav", "WAV", "a.wav"),
    _music("mp3", "MP3", "a.mp3"),
    _music("flac", "FLAC", "a.flac"),
    _music("ogg", "Vorbis in Ogg", "a.ogg", "-c:a", "libvorbis"),
    _music("opus", "Opus in Ogg", "a.opus"),
    _music("m4a", "AAC in MP4", "a.m4a", *AAC),
    _music("alac", "ALAC in MP4", "a.m4a", "-c:a", "alac"),
    _music("webm", "Opus in WebM", "a.webm", "-c:a", "libopus"),
    _music("aac", "AAC without a container (ADTS)", "a.aac", *AAC, **NEW),
    _music("aiff", "AIFF", "a.aiff", **NEW),
    _music("rf64", "RF64 (large WAV)", "a.wav", "-rf64", "always", **NEW),
    _music("w64", "Wave64", "a.w64", **NEW),
    _music("wma", "Windows Media Audio", "a.wma", "-c:a", "wmav2", **NEW),
    _music("caf", "Core Audio", "a.caf", **NEW),
    _music("ac3", "AC-3 without a container", "a.ac3", **NEW),
    _music("amr", "AMR (voice memos of old phones)", "a.amr", "-ar", "8000", "-ac", "1", **NEW),
    _music("wavpack", "WavPack", "a.wv", **NEW),
    Recipe(
        name="music-form-changes",
        title="AAC that changes from 44.1 kHz mono to 48 kHz stereo",
        treatment=PLAYS,
        file="both.aac",
        steps=(
            Ffmpeg((Tone(seconds=1, rate=44_100, layout="mono", beep_s=None), *AAC, "one.aac")),
            Ffmpeg((Tone(seconds=1, beep_s=None), *AAC, "two.aac")),
            Join(("one.aac", "two.aac"), "both.aac"),
        ),
        # With the silence that pads the parts.
        outcome=Music(seconds=2.04),
        has={"rates": (44_100, 48_000)},
    ),
    Recipe(
        name="music-flac-id3",
        row="Q",
        title="FLAC behind an ID3 tag",
        treatment=PLAYS,
        file="tagged.flac",
        steps=(
            Ffmpeg((TONE, "a.flac")),
            Write(b"ID3\x04\x00\x00\x00\x00\x00\x0a" + b"\x00" * 10, "tagged.flac", "a.flac"),
        ),
        outcome=Music(),
    ),
)

COVERS = (
    Recipe(
        name="music-cover-track",
        row="P",
        title="Music with a cover as a video track",
        treatment="The sound's length counts.",
        file="a.m4a",
        steps=(
            COVER,
            Ffmpeg(
                (
                    *("-i", "c.jpg", TONE, "-map", "0", "-map", "1", "-c:v", "copy", *AAC),
                    *("-disposition:v:0", "0", "-f", "mp4", "a.m4a"),
                )
            ),
        ),
        outcome=Music(),
        has={"covers": (False, False), "frames": (1, 0)},
    ),
    Recipe(
        name="music-cover-attached",
        title="Music with a cover",
        treatment="The sound's length counts.",
        file="a.mp3",
        steps=(
            COVER,
            Ffmpeg(
                (
                    *("-i", "c.jpg", TONE, "-map", "1", "-map", "0", "-c:v", "copy"),
                    *("-disposition:v:0", "attached_pic", "a.mp3"),
                )
            ),
        ),
        outcome=Music(),
        has={"covers": (False, True)},
    ),
)

RECIPES = (*FORMATS, *COVERS)
