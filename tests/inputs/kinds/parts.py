"""Arguments that many recipes share."""

from __future__ import annotations

from inputs.cards import Card, Tone
from inputs.recipe import Ffmpeg

CARD, TONE = Card(), Tone()
X264 = ("-c:v", "libx264", "-preset", "ultrafast")
AAC = ("-c:a", "aac", "-b:a", "160k")
UNKNOWN = "unknown"
# By how much encoders delay the sound; containers that cannot say so play it that much later.
DELAY_S = 1024 / 48_000
MP3_DELAY_S = 1105 / 48_000
MP2_DELAY_S = 481 / 48_000


def pixels(
    matrix: str = "smpte170m",
    *,
    tags: tuple[str, str, str] | None = None,
    full: bool = False,
    form: str = "yuv420p",
    size: str = "",
    then: str = "",
) -> tuple[str, ...]:
    """Return the filter that turns the raw card into pixels of a matrix, range and form.

    Args:
        matrix: Of the pixels; the default is what an untagged small file is taken as.
        tags: Matrix, primaries and transfer that the file declares; None declares nothing.
        full: Full range instead of the video range, and declared.
        form: ffmpeg's pixel format.
        size: Width and height, without new colours.
        then: Filters after it.
    """
    large = f"{size}:flags=neighbor:" if size else ""
    space, primaries, transfer = tags or (UNKNOWN, UNKNOWN, UNKNOWN)
    extent = "pc" if full else ("tv" if tags else UNKNOWN)
    declared = f"colorspace={space}:color_primaries={primaries}:color_trc={transfer}"
    scale = {"bt2020nc": "bt2020", "bt470bg": "bt601", "smpte170m": "bt601"}.get(matrix, matrix)
    chain = [
        f"scale={large}out_color_matrix={scale}:out_range={'pc' if full else 'tv'}",
        f"format={form}",
        f"setparams={declared}:range={extent}",
        *([then] if then else []),
    ]
    return ("-vf", ",".join(chain))


def clip(
    out: str,
    *args: str,
    card: Card = CARD,
    tone: Tone | None = TONE,
    video: tuple[str, ...] = (*pixels(), *X264),
    audio: tuple[str, ...] = AAC,
) -> Ffmpeg:
    """Return the step that encodes a card, and a tone unless there is none, to a file."""
    inputs = (card,) if tone is None else (card, tone)
    heard = () if tone is None else audio
    return Ffmpeg((*inputs, *video, *heard, *args, out))
