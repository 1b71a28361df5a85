"""Which lines of ffmpeg's log make a job count the broken pictures of a source."""

from __future__ import annotations

import pytest

from clipmill_job.rendering.damage_check import concerns_pictures

UNRELATED = [
    "",
    "[aist#0:1/pcm_s16le @ 0x560a9be457c0] Guessed Channel Layout: stereo",
    "[aist#0:1/aac @ 0x55] [dec:aac @ 0x56] Error submitting packet to decoder: Invalid data",
    "[aac @ 0x55] channel element 1.0 is not allocated",
    "[swscaler @ 0x7f95e4054140] deprecated pixel format used, make sure you did set range",
    "[null @ 0x5625ab5b8700] Application provided invalid, non monotonically increasing dts",
    "[mov @ 0x55] Timestamps are unset in a packet for stream 0",
    "[libx264 @ 0x55] MB rate (1000) > level limit (900)",
    "    Last message repeated 3 times",
]
RELATED = [
    "[h264 @ 0x55] error while decoding MB 10 4, bytestream -7",
    "[h264 @ 0x55] concealing 120 DC, 120 AC, 120 MV errors in P frame",
    "[vist#0:0/h264 @ 0x55] [dec:h264 @ 0x56] corrupt decoded frame",
    "[vist#0:0/vp9 @ 0x55] [dec:vp9 @ 0x56] Error submitting packet to decoder: Invalid data",
    "[mov,mp4,m4a,3gp,3g2,mj2 @ 0x55] stream 0, offset 0x30: partial file",
    "[matroska,webm @ 0x55] Invalid EBML length",
    "[in#0/mov,mp4,m4a,3gp,3g2,mj2 @ 0x55] Error during demuxing: Input/output error",
    "[dec:h264 @ 0x56] corrupt decoded frame",
]


@pytest.mark.parametrize("line", UNRELATED)
def test_filters_encoders_and_sound_say_nothing_of_pictures(line: str) -> None:
    """A source about which only they write is not decoded again."""
    assert not concerns_pictures([line])


@pytest.mark.parametrize("line", RELATED)
def test_decoders_and_demuxers_do(line: str) -> None:
    """One line is enough."""
    assert concerns_pictures([UNRELATED[1], line])
