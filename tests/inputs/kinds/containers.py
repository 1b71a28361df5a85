"""Containers and codecs of videos: everything that the bundled ffmpeg plays."""

from __future__ import annotations

from inputs.cards import Card, Tone
from inputs.kinds.parts import AAC, MP2_DELAY_S, MP3_DELAY_S, TONE, X264, clip, pixels
from inputs.kinds.timing import TS_SHOWN
from inputs.recipe import MONO, Recipe, Shown, contained, steady

PLAYS = "Plays."
PADDED = Shown(slack_frames=1)
VP9 = ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "2M")
AV1 = ("-c:v", "libsvtav1", "-preset", "12", "-crf", "25")
OPUS = ("-c:a", "libopus")
MP2 = ("-c:a", "mp2", "-b:a", "192k")
MPEG2 = ("-c:v", "mpeg2video", "-q:v", "2", "-bf", "2")
BT709 = ("bt709", "bt709", "bt709")
# AVI has no clock finer than a frame: after the first picture one is left out for the sound.
AFTER_MP3 = Shown(
    frames=61,
    pictures=((0.0, 0), *steady(count=59, at_s=2 / 30, first=1)),
    flash_s=1 + 1 / 30,
    beep_s=1 + MP3_DELAY_S,
)
SMALL_TONE = Tone(rate=8_000, layout="mono")


def _shifted(delay_s: float) -> Shown:
    """What is shown of a file whose sound begins earlier, by its encoder's delay."""
    return Shown(
        slack_frames=2,
        pictures=steady(at_s=delay_s),
        flash_s=1 + delay_s,
        beep_s=1 + delay_s,
        sync_ms=20,
    )


def _kept(
    name: str,
    title: str,
    file: str,
    video: tuple[str, ...],
    audio: tuple[str, ...] = AAC,
    **more: object,
) -> Recipe:
    fields = {key: more.pop(key) for key in ("row",) if key in more}
    shown = more.pop("shown", PADDED)
    card, tone = more.pop("card", Card()), more.pop("tone", TONE)
    args = more.pop("args", ())
    return Recipe(
        name=name,
        title=title,
        treatment=PLAYS,
        file=file,
        steps=(clip(file, *args, card=card, tone=tone, video=(*pixels(), *video), audio=audio),),  # type: ignore[arg-type,misc]
        outcome=shown,  # type: ignore[arg-type]
        has=more,
        **fields,  # type: ignore[arg-type]
    )


MODERN = (
    _kept("mp4-index-last", "MP4 with its index at the end", "a.mp4", X264),
    _kept(
        "mp4-index-first",
        "MP4 with its index at the start",
        "a.mp4",
        X264,
        args=("-movflags", "+faststart"),
    ),
    _kept(
        "mp4-fragmented",
        "Fragmented MP4",
        "a.mp4",
        X264,
        args=("-movflags", "+frag_keyframe+empty_moov+default_base_moof", "-g", "15"),
        shown=TS_SHOWN,
    ),
    _kept(
        "hevc",
        "HEVC in MP4",
        "a.mp4",
        (
            "-c:v",
            "libx265",
            "-preset",
            "ultrafast",
            "-x265-params",
            "log-level=error",
            "-tag:v",
            "hvc1",
        ),
        codecs=("video:hevc", "audio:aac"),
    ),
    _kept("av1-mp4", "AV1 in MP4", "a.mp4", AV1, OPUS, codecs=("video:libdav1d", "audio:opus")),
    _kept("av1-webm", "AV1 in WebM", "a.webm", AV1, OPUS),
    _kept("vp9-webm", "VP9 in WebM", "a.webm", VP9, OPUS),
    _kept("vp9-mp4", "VP9 in MP4", "a.mp4", VP9, OPUS),
    _kept(
        "vp8-webm",
        "VP8 and Vorbis in WebM",
        "a.webm",
        ("-c:v", "libvpx", "-deadline", "realtime", "-b:v", "2M"),
        ("-c:a", "libvorbis"),
    ),
    _kept(
        "prores",
        "ProRes in QuickTime",
        "a.mov",
        ("-c:v", "prores_ks", "-profile:v", "0"),
        ("-c:a", "pcm_s16le"),
    ),
    _kept(
        "dnxhr",
        "DNxHR in QuickTime",
        "a.mov",
        (*pixels("bt709", tags=BT709, form="yuv422p"), "-c:v", "dnxhd", "-profile:v", "dnxhr_sq"),
        ("-c:a", "pcm_s16le"),
    ),
)

MODERN += (
    _kept(
        "webm-live",
        "WebM without a length (screen recorders of browsers)",
        "a.webm",
        ("-c:v", "libvpx", "-deadline", "realtime", "-b:v", "2M"),
        OPUS,
        args=("-live", "1"),
    ),
)

STREAMS = (
    _kept("ts", "MPEG-TS with H.264", "a.ts", X264, shown=TS_SHOWN),
    _kept(
        "mpeg2-ts",
        "MPEG-TS with MPEG-2 (broadcasts)",
        "a.ts",
        MPEG2,
        MP2,
        shown=_shifted(MP2_DELAY_S),
    ),
    _kept(
        "m2ts",
        "MPEG-TS in packets of 192 bytes (AVCHD)",
        "a.m2ts",
        X264,
        args=("-mpegts_m2ts_mode", "1"),
        shown=TS_SHOWN,
        row="R",
    ),
    _kept("flv", "FLV with H.264 (streaming)", "a.flv", X264, shown=TS_SHOWN),
    _kept(
        "flv-sorenson",
        "FLV with Sorenson video and MP3",
        "a.flv",
        ("-c:v", "flv", "-q:v", "2"),
        ("-c:a", "libmp3lame", "-ar", "44100"),
        tone=Tone(rate=44_100),
        shown=_shifted(0.025),
    ),
    _kept(
        "mpeg-ps",
        "MPEG-2 programme stream (DVD, older cameras)",
        "a.mpg",
        MPEG2,
        MP2,
        shown=_shifted(MP2_DELAY_S),
    ),
    _kept(
        "mpeg1",
        "MPEG-1",
        "a.mpeg",
        ("-c:v", "mpeg1video", "-q:v", "2"),
        MP2,
        shown=_shifted(MP2_DELAY_S),
    ),
)

OLDER = (
    _kept(
        "avi-xvid",
        "AVI with MPEG-4 and MP3",
        "a.avi",
        ("-c:v", "mpeg4", "-q:v", "2"),
        ("-c:a", "libmp3lame"),
        shown=AFTER_MP3,
    ),
    _kept(
        "avi-mjpeg",
        "AVI with Motion JPEG and PCM",
        "a.avi",
        ("-c:v", "mjpeg", "-q:v", "2", "-pix_fmt", "yuvj420p"),
        ("-c:a", "pcm_s16le"),
    ),
    _kept(
        "3gp",
        "3GP with H.263 and AMR (old phones)",
        "a.3gp",
        ("-c:v", "h263", "-s", "352x288", "-q:v", "2"),
        ("-c:a", "libopencore_amrnb", "-b:a", "12.2k"),
        tone=SMALL_TONE,
        shown=Shown(
            slack_frames=1, tolerance=10, sync_ms=45, boxes=((0.0, contained(4, 3)),), sound=MONO
        ),
    ),
    _kept(
        "theora",
        "Theora in Ogg",
        "a.ogv",
        ("-c:v", "libtheora", "-q:v", "9"),
        ("-c:a", "libvorbis"),
    ),
    _kept(
        "wmv",
        "Windows Media",
        "a.wmv",
        ("-c:v", "wmv2", "-q:v", "2"),
        ("-c:a", "wmav2"),
        shown=_shifted(0.043),
    ),
    _kept(
        "mxf",
        "MXF (cameras)",
        "a.mxf",
        (*MPEG2, "-g", "15"),
        ("-c:a", "pcm_s16le"),
    ),
    Recipe(
        name="dv",
        title="DV tape",
        treatment=PLAYS,
        file="a.dv",
        steps=(
            clip(
                "a.dv",
                card=Card(rate="25"),
                video=(
                    *pixels(size="720:576", form="yuv420p", then="setsar=16/15"),
                    "-c:v",
                    "dvvideo",
                ),
                audio=("-c:a", "pcm_s16le"),
            ),
        ),
        outcome=Shown(
            pictures=steady("25", 50), boxes=((0.0, contained(4, 3)),), tolerance=9, sync_ms=45
        ),
    ),
    Recipe(
        name="dv-ntsc",
        title="DV tape of 525 lines, 4:1:1",
        treatment="Plays deinterlaced.",
        file="a.dv",
        steps=(
            clip(
                "a.dv",
                card=Card(rate="30000/1001", seconds=2.002),
                video=(
                    *pixels(size="720:480", form="yuv411p", then="setsar=8/9"),
                    *("-c:v", "dvvideo"),
                ),
                audio=("-c:a", "pcm_s16le"),
            ),
        ),
        outcome=Shown(
            frames=59,
            pictures=steady("30000/1001", 59),
            boxes=((0.0, contained(4, 3)),),
            tolerance=9,
            sync_ms=45,
        ),
        has={"interlaced": (True,), "pixels": ("yuv411p",)},
    ),
)

RECIPES = (*MODERN, *STREAMS, *OLDER)
