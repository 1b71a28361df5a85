"""Sound: layouts, rates and codecs, and forms that change in mid-stream."""

from __future__ import annotations

from inputs.cards import (
    BACK_LEFT_HZ,
    BACK_RIGHT_HZ,
    CENTRE_HZ,
    LEFT_HZ,
    RIGHT_HZ,
    Card,
    Tone,
)
from inputs.kinds.parts import AAC, DELAY_S, TONE, clip
from inputs.recipe import MONO, Heard, Join, Recipe, Shown, steady

STEREO = "Becomes 48 kHz stereo."
DOWNMIX = Heard(left=(LEFT_HZ, CENTRE_HZ, BACK_LEFT_HZ), right=(RIGHT_HZ, CENTRE_HZ, BACK_RIGHT_HZ))
PADDED = Shown(slack_frames=1)
# Codecs that declare no delay are late by it, in every player.
LATE = Shown(slack_frames=1, sync_ms=45)


def _coded(
    name: str,
    title: str,
    file: str,
    *audio: str,
    tone: Tone = TONE,
    shown: Shown = PADDED,
    **has: object,
) -> Recipe:
    return Recipe(
        name=f"sound-{name}",
        title=title,
        treatment=STEREO,
        file=file,
        steps=(clip(file, tone=tone, audio=audio),),
        outcome=shown,
        has=has,
    )


LAYOUTS = (
    _coded(
        "mono",
        "Mono, 44.1 kHz",
        "a.mp4",
        *AAC,
        tone=Tone(rate=44_100, layout="mono"),
        shown=Shown(sound=MONO),
        layouts=("mono",),
        rates=(44_100,),
    ),
    _coded(
        "5.1",
        "5.1 channels in AAC",
        "a.mp4",
        *("-c:a", "aac", "-b:a", "384k"),
        tone=Tone(layout="5.1"),
        shown=Shown(sound=DOWNMIX),
        layouts=("5.1",),
    ),
    _coded(
        "7.1",
        "7.1 channels in FLAC",
        "a.mkv",
        *("-c:a", "flac"),
        tone=Tone(layout="7.1"),
        shown=Shown(sound=DOWNMIX),
        layouts=("7.1",),
    ),
    _coded(
        "8-khz",
        "8 kHz",
        "a.mov",
        *("-c:a", "pcm_mulaw"),
        tone=Tone(rate=8_000, layout="mono"),
        shown=Shown(sound=MONO),
        rates=(8_000,),
    ),
    _coded(
        "96-khz",
        "96 kHz, 24 bit",
        "a.mkv",
        *("-c:a", "pcm_s24le"),
        tone=Tone(rate=96_000),
        rates=(96_000,),
    ),
    _coded(
        "32-bit-float",
        "32 bit floating point, 44.1 kHz",
        "a.mov",
        *("-c:a", "pcm_f32le"),
        tone=Tone(rate=44_100),
        shown=Shown(),
        rates=(44_100,),
    ),
    _coded(
        "8-bit",
        "8 bit mono, 11.025 kHz",
        "a.mov",
        *("-c:a", "pcm_u8"),
        tone=Tone(rate=11_025, layout="mono"),
        shown=Shown(sound=MONO),
        layouts=("mono",),
    ),
)

CODECS = (
    _coded("opus-mp4", "Opus in MP4", "a.mp4", "-c:a", "libopus", shown=Shown()),
    _coded(
        "opus-5.1",
        "Opus with 5.1 channels in Matroska",
        "a.mkv",
        "-c:a",
        "libopus",
        tone=Tone(layout="5.1"),
        shown=Shown(slack_frames=1, sound=DOWNMIX),
    ),
    _coded("mp3-mkv", "MP3 in Matroska", "a.mkv", "-c:a", "libmp3lame"),
    _coded("vorbis", "Vorbis in Matroska", "a.mkv", "-c:a", "libvorbis"),
    _coded("flac-mp4", "FLAC in MP4", "a.mp4", "-c:a", "flac"),
    _coded("alac", "ALAC in QuickTime", "a.mov", "-c:a", "alac"),
    _coded("pcm-mov", "PCM in QuickTime", "a.mov", "-c:a", "pcm_s16be"),
    _coded(
        "ac3-ts",
        "AC-3 in MPEG-TS",
        "a.ts",
        "-c:a",
        "ac3",
        shown=Shown(slack_frames=1, sync_ms=45, pictures=(*steady(at_s=256 / 48_000),)),
    ),
    _coded("eac3-mp4", "E-AC-3 in MP4", "a.mp4", "-c:a", "eac3"),
    _coded("dts", "DTS in Matroska", "a.mkv", "-c:a", "dca", "-strict", "-2", shown=LATE),
    _coded("adpcm", "ADPCM in QuickTime", "a.mov", "-c:a", "adpcm_ima_qt"),
)

# The second part follows without the delay: its first samples overlap the last ones before it.
JOINED = Shown(
    slack_frames=1,
    pictures=(*steady(count=30, at_s=DELAY_S), *steady(count=30, at_s=1.0, first=30)),
    sync_ms=45,
)
FORMS = (
    Recipe(
        name="stereo-then-mono",
        row="G",
        title="Sound that changes from stereo to mono in mid-stream",
        treatment="Plays on in its new form.",
        file="both.ts",
        steps=(
            clip("one.ts", card=Card(seconds=1, flash_s=None), tone=Tone(seconds=1, beep_s=None)),
            clip(
                "two.ts",
                *("-output_ts_offset", "1"),
                card=Card(seconds=1, first=30, flash_s=0),
                tone=Tone(seconds=1, layout="mono", beep_s=0),
            ),
            Join(("one.ts", "two.ts"), "both.ts"),
        ),
        outcome=JOINED,
        has={"layouts": ("mono", "stereo")},
    ),
    Recipe(
        name="rate-changes",
        row="G",
        title="Sound that changes from 44.1 to 48 kHz in mid-stream",
        treatment="Plays on in its new form.",
        file="both.ts",
        steps=(
            clip(
                "one.ts",
                card=Card(seconds=1, flash_s=None),
                tone=Tone(seconds=1, beep_s=None, rate=44_100),
            ),
            clip(
                "two.ts",
                *("-output_ts_offset", "1"),
                card=Card(seconds=1, first=30, flash_s=0),
                tone=Tone(seconds=1, beep_s=0),
            ),
            Join(("one.ts", "two.ts"), "both.ts"),
        ),
        outcome=JOINED,
        has={"rates": (44_100, 48_000)},
    ),
)

RECIPES = (*LAYOUTS, *CODECS, *FORMS)
