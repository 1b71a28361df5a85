"""Encode all segments of a profile with the same parameter sets, so that joining is a copy."""

from __future__ import annotations

from clipmill.protocol import Profile
from clipmill.spec import AUDIO_RATE

# Encoders copy these properties of a frame into the parameter sets. A source leaves its own in the
# frames; options of the encoder do not override them.
FRAME_PROPERTIES = (
    "setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709:range=tv"
    ":chroma_location=left:field_mode=prog,setsar=1,format=yuv420p"
)
# Ticks per frame of a segment's time base, which is `rate * TICKS` per second.
TICKS = 512
# One parameter set for all segments. Without a thread for the lookahead: how far that one is ahead
# depends on the load of the machine, and with it what x264 decides, once in some ten encodings.
X264_PARAMS = "stitchable=1:sync-lookahead=0"


def encoding_args(profile: Profile, frames: int) -> tuple[str, ...]:
    """Return the output arguments: encoder, the exact number of frames, PCM audio."""
    return (
        *("-map_metadata", "-1", "-map_chapters", "-1"),
        *_encoder_args(profile),
        *("-g", str(2 * profile.rate), "-pix_fmt", "yuv420p", "-fps_mode", "passthrough"),
        *("-enc_time_base:v", f"1:{profile.rate}", "-frames:v", str(frames)),
        *("-c:a", "pcm_f32le", "-ar", str(AUDIO_RATE)),
        *_container_args(profile),
    )


def _encoder_args(profile: Profile) -> tuple[str, ...]:
    max_bitrate, crf = str(profile.max_bitrate), str(profile.crf)
    buffer = ("-bufsize", str(profile.buffer or 2 * profile.max_bitrate))
    if profile.encoder == "libvpx-vp9":
        # With -b:v above 0, -crf is the best quality and -b:v the ceiling.
        fast = ("-deadline", "realtime", "-cpu-used", "7", "-row-mt", "1")
        return ("-c:v", profile.encoder, *fast, "-crf", crf, "-b:v", max_bitrate, *buffer)
    if profile.encoder == "h264_nvenc":
        quality = ("-rc", "vbr", "-cq", crf, "-b:v", max_bitrate, "-maxrate", max_bitrate)
        closed = ("-profile:v", "high", "-bf", "2", "-strict_gop", "1")
        return ("-c:v", profile.encoder, "-preset", "p5", *quality, *buffer, *closed)
    return (
        *("-c:v", profile.encoder, "-preset", profile.speed, "-crf", crf),
        *("-maxrate", max_bitrate, *buffer, "-bf", "2", "-flags", "+cgop"),
        *("-keyint_min", str(profile.rate), "-x264-params", X264_PARAMS),
    )


def _container_args(profile: Profile) -> tuple[str, ...]:
    # QuickTime keeps exact times, but does not hold VP9, which goes into Matroska.
    if profile.container == "webm":
        return ("-f", "matroska")
    return ("-video_track_timescale", str(profile.rate * TICKS), "-f", "mov")
