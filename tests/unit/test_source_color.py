"""From what a file declares of its colours to what they are converted from."""

import pytest

from clipmill.protocol import ColorTags, MediaFacts, SourceColor
from clipmill.timeline.source_color import source_color

SD, HD = (720, 480), (1280, 720)
BT601 = ColorTags(matrix="smpte170m", primaries="smpte170m", transfer="smpte170m")
PAL = ColorTags(matrix="bt470bg", primaries="bt470bg", transfer="smpte170m")
BT709 = ColorTags(matrix="bt709", primaries="bt709", transfer="bt709")
CASES: list[tuple[str, tuple[int, int], ColorTags, tuple[str, str]]] = [
    ("declared at any size", HD, BT601, ("smpte170m", "smpte170m")),
    ("declared at any size", HD, PAL, ("bt470bg", "bt470bg")),
    ("declared at any size", SD, BT709, ("bt709", "bt709")),
    ("matrix only", HD, ColorTags(matrix="smpte170m"), ("smpte170m", "bt709")),
    ("primaries only", SD, ColorTags(primaries="smpte432"), ("smpte170m", "smpte432")),
    ("nothing, SD", SD, ColorTags(), ("smpte170m", "bt709")),
    ("nothing, wide PAL", (1024, 576), ColorTags(), ("smpte170m", "bt709")),
    ("nothing, HD", HD, ColorTags(), ("bt709", "bt709")),
    ("nothing, portrait HD", (720, 1280), ColorTags(), ("bt709", "bt709")),
    ("nothing, square HD", (1080, 1080), ColorTags(), ("bt709", "bt709")),
    ("wide gamut", HD, ColorTags(matrix="bt2020nc"), ("bt2020nc", "bt2020")),
    ("constant luminance", HD, ColorTags(matrix="bt2020c"), ("bt2020nc", "bt2020")),
    ("RGB", HD, ColorTags(matrix="gbr"), ("bt709", "bt709")),
    ("a matrix that is not supported", SD, ColorTags(matrix="ictcp"), ("smpte170m", "bt709")),
    ("unknown primaries", HD, ColorTags(primaries="vgamut"), ("bt709", "bt709")),
]


@pytest.mark.parametrize(("name", "size", "tags", "expected"), CASES)
def test_source_color(
    name: str, size: tuple[int, int], tags: ColorTags, expected: tuple[str, str]
) -> None:
    """What is declared counts at any size; the rest is a guess, the matrix by pixel count."""
    facts = MediaFacts(format="mov", duration_us=1, width=size[0], height=size[1], color=tags)
    color = source_color(facts)
    assert color == SourceColor(matrix=expected[0], primaries=expected[1]), name


@pytest.mark.parametrize("transfer", ["smpte2084", "arib-std-b67"])
@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (ColorTags(), ("bt2020nc", "bt2020")),
        (ColorTags(matrix="bt709", primaries="bt709"), ("bt709", "bt709")),
    ],
)
def test_hdr(transfer: str, tags: ColorTags, expected: tuple[str, str]) -> None:
    """The transfer is kept, and stands for the undeclared tags of its standard."""
    declared = tags.model_copy(update={"transfer": transfer})
    facts = MediaFacts(format="mov", duration_us=1, width=640, height=360, color=declared)
    matrix, primaries = expected
    assert source_color(facts) == SourceColor(matrix=matrix, primaries=primaries, transfer=transfer)


def test_facts_of_earlier_releases() -> None:
    """They say nothing of colours: the renderer decides as it did then."""
    facts = MediaFacts(format="mov", duration_us=1, width=1280, height=720)
    assert source_color(facts) is None
