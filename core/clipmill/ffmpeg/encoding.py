"""The one form of all segments of a profile: the same parameter sets, so that a join is a copy."""

from __future__ import annotations

from clipmill.protocol import Profile
from clipmill.spec import AUDIO_RATE

TICKS = 512
"""Ticks of a segment's time base per frame: `rate * 512` a second."""


def encoding_args(form: Profile, frames: int) -> tuple[str, ...]:
    """Arguments of the output: encoder, colours, exactly so many frames, sound as PCM."""
    return (
        *("-map_metadata", "-1", "-map_chapters", "-1"),
        *_encoder(form),
        *("-g", str(2 * form.rate), "-pix_fmt", "yuv420p"),
        *("-color_primaries", "bt709", "-color_trc", "bt709", "-colorspace", "bt709"),
        *("-color_range", "tv", "-fps_mode", "passthrough", "-enc_time_base:v", f"1:{form.rate}"),
        *("-frames:v", str(frames)),
        *("-c:a", "pcm_f32le", "-ar", str(AUDIO_RATE)),
        *_container(form),
    )


def _encoder(form: Profile) -> tuple[str, ...]:
    ceiling = str(form.max_bitrate)
    buffer = ("-bufsize", str(form.buffer or 2 * form.max_bitrate))
    if form.encoder == "libvpx-vp9":
        # With -b:v above 0, -crf is the best quality and -b:v the ceiling.
        fast = ("-deadline", "realtime", "-cpu-used", "7", "-row-mt", "1")
        return ("-c:v", form.encoder, *fast, "-crf", str(form.crf), "-b:v", ceiling, *buffer)
    if form.encoder == "h264_nvenc":
        quality = ("-rc", "vbr", "-cq", str(form.crf), "-b:v", ceiling, "-maxrate", ceiling)
        closed = ("-profile:v", "high", "-bf", "2", "-strict_gop", "1")
        return ("-c:v", form.encoder, "-preset", "p5", *quality, *buffer, *closed)
    return (
        *("-c:v", form.encoder, "-preset", form.speed, "-crf", str(form.crf)),
        *("-maxrate", ceiling, *buffer, "-bf", "2", "-flags", "+cgop"),
        *("-keyint_min", str(form.rate), "-x264-params", "stitchable=1"),
    )


def _container(form: Profile) -> tuple[str, ...]:
    """QuickTime keeps exact times; it does not take VP9, so that goes into Matroska."""
    if form.container == "webm":
        return ("-f", "matroska")
    return ("-video_track_timescale", str(form.rate * TICKS), "-f", "mov")
