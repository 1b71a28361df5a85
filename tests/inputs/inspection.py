"""The properties that a file really has, read by PyAV: a wrong recipe would prove nothing."""

from __future__ import annotations

import math
import struct
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.stream import Disposition
from av.video.frame import VideoFrame
from numpy.typing import NDArray

Facts = dict[str, Any]
MATRICES = {0: "gbr", 1: "bt709", 2: "", 5: "bt470bg", 6: "smpte170m", 9: "bt2020nc"}
PRIMARIES = {1: "bt709", 2: "", 5: "bt470bg", 6: "smpte170m", 9: "bt2020", 12: "smpte432"}
TRANSFERS = {
    **{1: "bt709", 2: "", 6: "smpte170m", 13: "iec61966-2-1", 14: "bt2020-10"},
    **{16: "smpte2084", 18: "arib-std-b67"},
}
RANGES = {0: "", 1: "tv", 2: "pc"}


@cache
def facts(path: Path) -> Facts:
    """Return what is in a file, every stream decoded, once a session.

    `format`, `start_s`; by stream `codecs`, `defaults`, `covers`, of packets `starts_s` and
    `ends_s`, of the first decoded frame `first_s`, and how many `frames` or `samples`; of all
    video frames `sizes`, `pixels` and `interlaced`; of the first one `matrix`, `primaries`,
    `transfer`, `range` and `orientation`; of all audio frames `layouts` and `rates`; of all
    packets how many are `broken`.
    """
    with av.open(str(path), metadata_errors="replace") as container:
        result = _streams(container)
        _decode(container, result)
    for name, value in result.items():
        if isinstance(value, set):
            result[name] = tuple(sorted(value))
    return result


def _streams(container: Any) -> Facts:
    streams = list(container.streams)
    return {
        "format": container.format.name,
        "start_s": float((container.start_time or 0) / av.time_base),
        "codecs": tuple(_codec(stream) for stream in streams),
        "defaults": tuple(bool(s.disposition & Disposition.default) for s in streams),
        "covers": tuple(bool(s.disposition & Disposition.attached_pic) for s in streams),
        **{"sizes": set(), "pixels": set(), "interlaced": set()},
        **{"layouts": set(), "rates": set(), "broken": 0},
        "starts_s": [None] * len(streams),
        "ends_s": [0.0] * len(streams),
        "first_s": [None] * len(streams),
        "frames": [0] * len(streams),
        "samples": [0] * len(streams),
    }


def _codec(stream: Any) -> str:
    context = stream.codec_context
    return f"{stream.type}:{context.name if context else 'none'}"


def _decode(container: Any, result: Facts) -> None:
    for packet in container.demux():
        index = packet.stream_index
        if packet.pts is not None and packet.time_base and not packet.is_discard:
            start = packet.pts * Fraction(packet.time_base)
            end = float(start + (packet.duration or 0) * Fraction(packet.time_base))
            earliest = result["starts_s"][index]
            result["starts_s"][index] = min(
                float(start), math.inf if earliest is None else earliest
            )
            result["ends_s"][index] = max(result["ends_s"][index], end)
        if packet.stream.type not in ("video", "audio") or packet.stream.codec_context is None:
            continue
        try:
            frames = packet.decode()
        except av.FFmpegError:
            result["broken"] += 1
            continue
        for frame in frames:
            _count(frame, index, result)


def _count(frame: VideoFrame | AudioFrame, index: int, result: Facts) -> None:
    if result["first_s"][index] is None and frame.pts is not None:
        result["first_s"][index] = float(frame.pts * Fraction(frame.time_base))
    if isinstance(frame, AudioFrame):
        result["samples"][index] += frame.samples
        result["layouts"].add(frame.layout.name)
        result["rates"].add(frame.sample_rate)
        return
    result["frames"][index] += 1
    result["sizes"].add((frame.width, frame.height))
    result["pixels"].add(frame.format.name)
    result["interlaced"].add(bool(frame.interlaced_frame))
    if "matrix" not in result:
        result |= {
            "matrix": MATRICES.get(frame.colorspace, str(frame.colorspace)),
            "primaries": PRIMARIES.get(frame.color_primaries, str(frame.color_primaries)),
            "transfer": TRANSFERS.get(frame.color_trc, str(frame.color_trc)),
            "range": RANGES.get(frame.color_range, str(frame.color_range)),
            "orientation": orientation(frame),
        }


def orientation(frame: VideoFrame) -> tuple[int, int, int, int]:
    """Return the signs of the display matrix's a, b, c and d; 1, 0, 0, 1 without one."""
    for data in frame.side_data:
        if data.type.name == "DISPLAYMATRIX":
            values = struct.unpack("<9i", bytes(data))
            a, b, c, d = (int(np.sign(values[i])) for i in (0, 1, 3, 4))
            return a, b, c, d
    return 1, 0, 0, 1


def planes(frame: VideoFrame) -> list[NDArray[Any]]:
    """Return the planes of a planar frame as arrays; chroma as small as it is."""
    deep = frame.format.components[0].bits > 8
    result = []
    for i, plane in enumerate(frame.planes):
        wide = np.frombuffer(plane, np.uint16 if deep else np.uint8)
        row = plane.line_size // (2 if deep else 1)
        result.append(wide.reshape(-1, row)[: frame.format.components[i].height, : plane.width])
    return result
