"""Decide from which matrix and primaries a source is converted to BT.709.

What a file declares counts, at any size. Undeclared is guessed as players do: the matrix is BT.601
up to the size of widescreen PAL and BT.709 above; the primaries are BT.709, and BT.2020 for a
BT.2020 matrix. All SDR transfers count as the same: screen recordings that declare sRGB are shown
without a change by players, too. An HDR transfer without other tags has those of BT.2020.
"""

from __future__ import annotations

from clipmill.protocol import ColorTags, MediaFacts, SourceColor

# Widescreen PAL with square pixels. The largest untagged picture that counts as BT.601.
MAX_SD_PIXELS = 1024 * 576
MATRICES = {
    **{name: name for name in ("bt709", "fcc", "bt470bg", "smpte170m", "smpte240m", "bt2020nc")},
    "bt2020c": "bt2020nc",
}
PRIMARIES = frozenset(
    {
        *("bt709", "bt470m", "bt470bg", "smpte170m", "smpte240m", "film", "bt2020"),
        *("smpte431", "smpte432", "ebu3213"),
    }
)
HDR_TRANSFERS = frozenset({"smpte2084", "arib-std-b67"})


def source_color(facts: MediaFacts) -> SourceColor | None:
    """Return the colours of a source; None for facts of earlier releases."""
    tags = facts.color
    if tags is None:
        return None
    transfer = tags.transfer if tags.transfer in HDR_TRANSFERS else "bt709"
    matrix = MATRICES.get(tags.matrix or "") or _guessed_matrix(facts, transfer)
    return SourceColor(
        matrix=matrix, primaries=_primaries(tags, matrix), transfer=transfer or "bt709"
    )


def _guessed_matrix(facts: MediaFacts, transfer: str | None) -> str:
    if transfer in HDR_TRANSFERS:
        return "bt2020nc"
    return "bt709" if facts.width * facts.height > MAX_SD_PIXELS else "smpte170m"


def _primaries(tags: ColorTags, matrix: str) -> str:
    if tags.primaries in PRIMARIES:
        return str(tags.primaries)
    return "bt2020" if matrix == "bt2020nc" else "bt709"
