"""Shape: turned and mirrored pictures, pixels that are not square, odd sizes, fields."""

from __future__ import annotations

from inputs.cards import Card, Tone
from inputs.kinds.parts import AAC, DELAY_S, MP2_DELAY_S, X264, clip, pixels
from inputs.recipe import FULL, SIZE, Ffmpeg, Join, Recipe, Shown, contained, steady

UPRIGHT = "Shown upright, as the display matrix says."
SQUARE = "Shown in its true shape."
FITTED = "Fitted into the frame with borders; nothing is stretched."
PORTRAIT = contained(9, 16)
VIDEO = (*pixels(), *X264)


def _turned(degrees: int, orientation: tuple[int, int, int, int], file: str = "a.mp4") -> Recipe:
    size = SIZE[::-1] if degrees % 180 else SIZE
    return Recipe(
        name=f"turned-{degrees}",
        title=f"Turned by {degrees} degrees by its display matrix (phones)",
        treatment=UPRIGHT,
        file=file,
        steps=(
            clip("pixels.mp4", card=Card(turn=360 - degrees)),
            Ffmpeg(("-display_rotation", str(degrees), "-i", "pixels.mp4", "-c", "copy", file)),
        ),
        has={"orientation": orientation, "sizes": (size,)},
    )


def _mirrored(way: str, orientation: tuple[int, int, int, int]) -> Recipe:
    return Recipe(
        name=f"mirrored-{way}",
        title=f"Mirrored {'left to right' if way == 'h' else 'upside down'} by its display matrix",
        treatment=UPRIGHT,
        file="a.mp4",
        steps=(
            clip("pixels.mp4", card=Card(mirror=way)),
            Ffmpeg((f"-display_{way}flip", "-i", "pixels.mp4", "-c", "copy", "a.mp4")),
        ),
        has={"orientation": orientation},
    )


TURNED = (
    _turned(90, (0, -1, 1, 0)),
    _turned(180, (-1, 0, 0, -1), "a.mov"),
    _turned(270, (0, 1, -1, 0)),
    _mirrored("h", (-1, 0, 0, 1)),
    _mirrored("v", (1, 0, 0, -1)),
)


def _size(name: str, title: str, treatment: str, *args: str, **more: object) -> Recipe:
    file, video = args[0], args[1:]
    shown = more.pop("shown", Shown())
    audio = ("-c:a", "pcm_s16le") if file.endswith("avi") else AAC
    return Recipe(
        name=name,
        title=title,
        treatment=treatment,
        file=file,
        steps=(clip(file, video=video, audio=audio),),
        outcome=shown,  # type: ignore[arg-type]
        has=more,
    )


SIZES = (
    _size(
        "wide-pixels",
        "Pixels twice as wide as high",
        SQUARE,
        "a.mp4",
        *pixels(size="160:180", then="setsar=2"),
        *X264,
        sizes=((160, 180),),
    ),
    _size(
        "tall-pixels",
        "Pixels twice as high as wide, declared by the container",
        SQUARE,
        "a.mkv",
        *pixels(size="320:90", then="setsar=1/2"),
        *("-c:v", "ffv1"),
        sizes=((320, 90),),
        shown=Shown(slack_frames=1),
    ),
    _size(
        "odd-size",
        "Odd width and height",
        FITTED,
        "a.mp4",
        *pixels(size="321:181", form="yuv444p"),
        *X264,
        sizes=((321, 181),),
    ),
    _size(
        "odd-size-avi",
        "Odd width and height in 4:2:0",
        FITTED,
        "a.avi",
        *pixels(size="213:121"),
        *("-c:v", "mjpeg", "-q:v", "3", "-pix_fmt", "yuvj420p"),
        sizes=((213, 121),),
        shown=Shown(boxes=((0.0, contained(213, 121)),), tolerance=9),
    ),
    _size(
        "portrait",
        "Portrait picture",
        FITTED,
        "a.mp4",
        *pixels(size="180:320"),
        *X264,
        sizes=((180, 320),),
        shown=Shown(boxes=((0.0, PORTRAIT),)),
    ),
    _size(
        "ultra-wide",
        "Very wide picture",
        FITTED,
        "a.mp4",
        *pixels(size="960:240"),
        *X264,
        sizes=((960, 240),),
        shown=Shown(boxes=((0.0, contained(4, 1)),)),
    ),
    _size(
        "tiny",
        "Tiny picture",
        FITTED,
        "a.mp4",
        *pixels(size="64:36"),
        *X264,
        "-qp",
        "8",
        sizes=((64, 36),),
        shown=Shown(tolerance=12),
    ),
    _size(
        "ultra-hd",
        "UHD",
        FITTED,
        "a.mp4",
        *pixels("bt709", size="3840:2160"),
        *X264,
        sizes=((3840, 2160),),
    ),
)

WIDE_CARD = Card(seconds=1, flash_s=None)
PORTRAIT_CARD = Card(seconds=1, first=30, flash_s=0)
CHANGES = (
    Recipe(
        name="shape-changes",
        row="F",
        title="Picture that changes from landscape to portrait in mid-stream (phones)",
        treatment="Fitted again at each change; nothing is stretched.",
        file="both.ts",
        steps=(
            clip("one.ts", card=WIDE_CARD, tone=None),
            clip(
                "two.ts",
                *("-output_ts_offset", "1"),
                card=PORTRAIT_CARD,
                tone=None,
                video=(*pixels(size="180:320"), *X264),
            ),
            Join(("one.ts", "two.ts"), "both.ts"),
        ),
        outcome=Shown(boxes=((0.0, FULL), (1.0, PORTRAIT)), sound=None, beep_s=None),
        has={"sizes": ((180, 320), (320, 180)), "frames": (60,)},
    ),
    Recipe(
        name="size-changes",
        title="Picture that changes its size in mid-stream (adaptive streams)",
        treatment="Fitted again at each change; nothing is stretched.",
        file="both.ts",
        steps=(
            clip("one.ts", card=WIDE_CARD, tone=None),
            clip(
                "two.ts",
                *("-output_ts_offset", "1"),
                card=PORTRAIT_CARD,
                tone=None,
                video=(*pixels(size="640:360"), *X264),
            ),
            Join(("one.ts", "two.ts"), "both.ts"),
        ),
        outcome=Shown(sound=None, beep_s=None),
        has={"sizes": ((320, 180), (640, 360)), "frames": (60,)},
    ),
    Recipe(
        name="aspect-changes",
        row="F",
        title="Picture whose pixel aspect changes in mid-stream (broadcasts)",
        treatment="Fitted again at each change; nothing is stretched.",
        file="both.ts",
        steps=(
            clip("one.ts", card=WIDE_CARD, tone=None),
            clip(
                "two.ts",
                *("-output_ts_offset", "1"),
                card=PORTRAIT_CARD,
                tone=None,
                video=(*pixels(then="setsar=3/4"), *X264),
            ),
            Join(("one.ts", "two.ts"), "both.ts"),
        ),
        outcome=Shown(boxes=((0.0, FULL), (1.0, contained(4, 3))), sound=None, beep_s=None),
        has={"frames": (60,)},
    ),
)

FIELDS = Card(rate="60", counts=30)
DEINTERLACED = "Deinterlaced; at the field rate where the output has it."
INTERLACED = Shown(tolerance=9)


def _interlaced(name: str, title: str, file: str, *video: str, **more: object) -> Recipe:
    order = {
        "tff": "tinterlace=interleave_top,fieldorder=tff",
        "bff": "tinterlace=interleave_bottom,fieldorder=bff",
    }
    audio = more.pop("audio", AAC)
    return Recipe(
        name=f"interlaced-{name}",
        row="L",
        title=title,
        treatment=DEINTERLACED,
        file=file,
        steps=(
            clip(
                file,
                card=FIELDS,
                video=(*pixels(then=order[video[0]]), *video[1:]),
                audio=audio,  # type: ignore[arg-type]
            ),
        ),
        outcome=more.pop("shown", INTERLACED),  # type: ignore[arg-type]
        has={"interlaced": (True,), "frames": (60, 0)} | more,
    )


INTERLACE = (
    _interlaced(
        "h264",
        "Interlaced H.264, upper field first",
        "a.mp4",
        *("tff", *X264, "-flags", "+ildct+ilme", "-x264-params", "tff=1"),
    ),
    _interlaced(
        "mpeg2",
        "Interlaced MPEG-2, lower field first",
        "a.mkv",
        *("bff", "-c:v", "mpeg2video", "-q:v", "3", "-flags", "+ildct+ilme"),
        shown=Shown(tolerance=9, slack_frames=1),
    ),
    _interlaced(
        "prores",
        "Interlaced ProRes",
        "a.mov",
        *("tff", "-c:v", "prores_ks", "-profile:v", "0", "-flags", "+ildct"),
    ),
    _interlaced(
        "422",
        "Interlaced H.264, 4:2:2 in 10 bit (cameras)",
        "a.mxf",
        *("tff", *X264, "-pix_fmt", "yuv422p10le", "-g", "1"),
        *("-flags", "+ildct+ilme", "-x264-params", "tff=1"),
        audio=("-c:a", "pcm_s24le"),
        pixels=("yuv422p10le",),
    ),
    _interlaced(
        "avchd",
        "Interlaced AVCHD with AC-3",
        "a.m2ts",
        *("tff", *X264, "-flags", "+ildct+ilme", "-x264-params", "tff=1"),
        *("-mpegts_m2ts_mode", "1"),
        audio=("-c:a", "ac3"),
        shown=Shown(
            tolerance=9, slack_frames=1, sync_ms=45, pictures=(*steady(at_s=256 / 48_000),)
        ),
    ),
    _interlaced(
        "ps",
        "Interlaced MPEG-2 programme stream (DVD)",
        "a.mpg",
        *("bff", "-c:v", "mpeg2video", "-q:v", "3", "-flags", "+ildct+ilme"),
        audio=("-c:a", "mp2", "-b:a", "192k"),
        shown=Shown(
            tolerance=9,
            slack_frames=2,
            pictures=steady(at_s=MP2_DELAY_S),
            flash_s=1 + MP2_DELAY_S,
            beep_s=1 + MP2_DELAY_S,
            sync_ms=20,
        ),
    ),
    Recipe(
        name="interlaced-25",
        row="L",
        title="Interlaced at 25 frames a second (PAL)",
        treatment=DEINTERLACED,
        file="a.mp4",
        steps=(
            clip(
                "a.mp4",
                *("-flags", "+ildct+ilme", "-x264-params", "tff=1"),
                card=Card(rate="50", counts=25),
                video=(*pixels(then="tinterlace=interleave_top,fieldorder=tff"), *X264),
            ),
        ),
        outcome=Shown(tolerance=9, pictures=steady("25", 50)),
        has={"interlaced": (True,), "frames": (50, 0)},
    ),
    Recipe(
        name="telecine-by-flags",
        title="Film of 24 frames a second with repeated fields by flags (DVD)",
        treatment="Frames flagged as progressive are left as they are.",
        file="a.mp4",
        steps=(clip("a.mp4", "-x264-params", "pulldown=32", card=Card(rate="24")),),
        outcome=Shown(pictures=steady("24", 48)),
        has={"interlaced": (False,), "frames": (48, 0)},
    ),
)

MORE = (
    Recipe(
        name="turned-wide-pixels",
        title="Pixels twice as wide as high, turned by the display matrix",
        treatment=UPRIGHT,
        file="a.mp4",
        steps=(
            clip(
                "pixels.mp4",
                card=Card(turn=270),
                # As stored, before the turn: 90 x 320 pixels twice as wide as high.
                video=(*pixels(size="90:320", then="setsar=2"), *X264),
            ),
            Ffmpeg(("-display_rotation", "90", "-i", "pixels.mp4", "-c", "copy", "a.mp4")),
        ),
        has={"orientation": (0, -1, 1, 0), "sizes": ((90, 320),)},
    ),
    Recipe(
        name="shape-changes-with-sound",
        row="F",
        title="Picture that changes its shape and sound that changes its form in mid-stream",
        treatment="Fitted again at each change; the sound plays on.",
        file="both.ts",
        steps=(
            clip("one.ts", card=WIDE_CARD, tone=Tone(seconds=1, beep_s=None)),
            clip(
                "two.ts",
                *("-output_ts_offset", "1"),
                card=PORTRAIT_CARD,
                tone=Tone(seconds=1, layout="mono", beep_s=0),
                video=(*pixels(size="180:320"), *X264),
            ),
            Join(("one.ts", "two.ts"), "both.ts"),
        ),
        outcome=Shown(
            slack_frames=1,
            pictures=(*steady(count=30, at_s=DELAY_S), *steady(count=30, at_s=1.0, first=30)),
            boxes=((0.0, FULL), (1.0, PORTRAIT)),
            sync_ms=45,
        ),
        has={"sizes": ((180, 320), (320, 180)), "layouts": ("mono", "stereo")},
    ),
)

RECIPES = (*TURNED, *SIZES, *CHANGES, *INTERLACE, *MORE)
