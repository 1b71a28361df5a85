"""Which ffmpeg is taken, by its own words."""

import pytest

from clipmill_job.ffmpeg_binary import new_enough


@pytest.mark.parametrize(
    ("version", "good"),
    [
        ("ffmpeg version 9.1-static\nconfiguration: --enable-gpl --enable-libx264", True),
        ("ffmpeg version 7.1.1-static\nconfiguration: --enable-gpl --enable-libx264", False),
        ("ffmpeg version n9.0.2-17-g2a571b\nconfiguration: --enable-libx264", True),
        ("ffmpeg version 5.1.6-0+deb12u1\nconfiguration: --enable-libx264", False),
        ("ffmpeg version 9.0\nconfiguration: --disable-gpl", False),
        ("ffmpeg version git-2026\nconfiguration: --enable-libx264", False),
        ("", False),
    ],
)
def test_new_enough(version: str, good: bool) -> None:
    """Nine or later, with x264; what cannot be read is not trusted."""
    assert new_enough(version) is good
