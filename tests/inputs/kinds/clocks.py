"""Where pictures and sound end, gaps between them, and clocks that start again."""

from __future__ import annotations

from inputs.cards import Card, Tone
from inputs.kinds.parts import DELAY_S, clip, pixels
from inputs.kinds.timing import PLAYS, TS_PICTURES
from inputs.recipe import Heard, Join, Recipe, Shown, Truncate, steady

FIRST, SECOND = Card(flash_s=None), Card(first=60)
FIRST_TONE, SECOND_TONE = Tone(beep_s=None), Tone()

ENDS = (
    Recipe(
        name="sound-goes-on",
        row="E",
        title="Sound that goes on after the last picture",
        treatment="The last picture is held to the end of the sound.",
        file="a.mp4",
        steps=(clip("a.mp4", tone=Tone(seconds=6)),),
        outcome=Shown(frames=180, slack_frames=1, sound=Heard(until_s=6)),
        has={"ends_s": (2.0, 6.0)},
    ),
    Recipe(
        name="sound-goes-on-webm",
        row="E",
        title="Sound that goes on after the last picture, in WebM (screen recorders)",
        treatment="The last picture is held to the end of the sound.",
        file="a.webm",
        steps=(
            clip(
                "a.webm",
                video=(*pixels(), "-c:v", "libvpx", "-deadline", "realtime", "-b:v", "1M"),
                tone=Tone(seconds=4),
                audio=("-c:a", "libopus"),
            ),
        ),
        outcome=Shown(frames=120, slack_frames=1, sound=Heard(until_s=4)),
        has={"ends_s": (2.0, 4.0)},
    ),
    Recipe(
        name="picture-with-a-sound-track",
        row="E",
        title="One picture with a sound track",
        treatment="The picture is held to the end of the sound.",
        file="a.mp4",
        steps=(clip("a.mp4", card=Card(seconds=1 / 30, first=9, flash_s=None)),),
        outcome=Shown(pictures=((0.0, 9),), flash_s=None, slack_frames=1),
        has={"frames": (1, 0)},
    ),
    Recipe(
        name="sound-ends-early",
        title="Sound that ends before the picture",
        treatment="Silent after the sound's end.",
        file="a.mp4",
        steps=(clip("a.mp4", tone=Tone(seconds=1.2)),),
        outcome=Shown(sound=Heard(until_s=1.2)),
        has={"ends_s": (2.0, 1.2)},
    ),
    Recipe(
        name="truncated-ts",
        title="MPEG-TS cut off in the middle (a broken download)",
        treatment="What is there plays: MPEG-TS has no end that could be missing.",
        file="cut.ts",
        steps=(clip("whole.ts", "-g", "10"), Truncate("whole.ts", 0.75, "cut.ts")),
        outcome=Shown(
            frames=40,
            slack_frames=12,
            pictures=TS_PICTURES,
            flash_s=1 + DELAY_S,
            beep_s=1 + DELAY_S,
            sound=Heard(until_s=1.3),
        ),
    ),
)

CLOCKS = (
    Recipe(
        name="ts-clock-restarts",
        row="D",
        title="MPEG-TS whose clock starts again (recordings joined by `cat`)",
        treatment="The parts play one after the other.",
        file="both.ts",
        steps=(
            clip("one.ts", card=FIRST, tone=FIRST_TONE),
            clip("two.ts", card=SECOND, tone=SECOND_TONE),
            Join(("one.ts", "two.ts"), "both.ts"),
        ),
        outcome=Shown(
            frames=120,
            slack_frames=2,
            pictures=(
                *steady(at_s=DELAY_S),
                *steady(at_s=2 + 2 * DELAY_S, first=60),
            ),
            flash_s=3.0 + 2 * DELAY_S,
            beep_s=3.0 + 2 * DELAY_S,
            sync_ms=45,
            sound=Heard(until_s=4),
        ),
        has={"frames": (120, 0)},
    ),
    Recipe(
        name="ts-clock-restarts-silent",
        row="D",
        title="The same without sound",
        treatment="The parts play one after the other.",
        file="both.ts",
        steps=(
            clip("one.ts", card=FIRST, tone=None),
            clip("two.ts", card=SECOND, tone=None),
            Join(("one.ts", "two.ts"), "both.ts"),
        ),
        outcome=Shown(frames=120, pictures=steady(count=120), flash_s=3.0, sound=None, beep_s=None),
        has={"frames": (120,)},
    ),
    Recipe(
        name="ts-clock-jumps",
        row="D",
        title="MPEG-TS whose clock jumps ahead by 40 s",
        treatment="The parts play one after the other.",
        file="both.ts",
        steps=(
            clip("one.ts", card=FIRST, tone=None),
            clip("two.ts", "-output_ts_offset", "40", card=SECOND, tone=None),
            Join(("one.ts", "two.ts"), "both.ts"),
        ),
        outcome=Shown(frames=120, pictures=steady(count=120), flash_s=3.0, sound=None, beep_s=None),
        has={"frames": (120,)},
    ),
    Recipe(
        name="ts-clock-wraps",
        title="MPEG-TS whose clock of 33 bits wraps around",
        treatment=PLAYS,
        file="wrap.ts",
        steps=(clip("wrap.ts", "-output_ts_offset", str(2**33 / 90_000 - 2.4), tone=None),),
        outcome=Shown(sound=None, beep_s=None),
        has={"frames": (60,)},
    ),
    Recipe(
        name="ts-gap",
        title="MPEG-TS from which a second is missing",
        treatment="The last picture before the gap is held.",
        file="gap.ts",
        steps=(
            clip("one.ts", card=FIRST, tone=None),
            clip("two.ts", "-output_ts_offset", "3", card=SECOND, tone=None),
            Join(("one.ts", "two.ts"), "gap.ts"),
        ),
        outcome=Shown(
            frames=150,
            pictures=(*steady(), *steady(at_s=3, first=60)),
            flash_s=4.0,
            sound=None,
            beep_s=None,
        ),
        has={"frames": (120,)},
    ),
)

RECIPES = (*ENDS, *CLOCKS)
