"""Write the encoded stretches of an output as one file, without encoding again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import av
from av.packet import Packet

from clipmill.sound.sound_stretches import FRAME_SAMPLES
from clipmill.spec import AUDIO_RATE
from clipmill_client.errors import RetryableError
from clipmill_job.assembling.declared_streams import open_declared
from clipmill_job.assembling.join import MP4_OPTIONS
from clipmill_job.assembling.stretch_encoding import EncodedStretch

# The encoder's first packet primes the decoder: it is decoded before the first sample.
PRIMING_FRAMES = 1


def write_sound(encoded: Sequence[EncodedStretch], out: Path, *, samples: int) -> None:
    """Write the packets of AAC stretches as MP4, of exactly so many samples.

    Raises:
        RetryableError: A stretch has fewer packets than frames.
    """
    with ExitStack() as stack:
        first = stack.enter_context(av.open(str(encoded[0].path)))
        target = stack.enter_context(av.open(str(out), "w", format="mp4", options=MP4_OPTIONS))
        stream = target.add_stream_from_template(first.streams.audio[0])
        stream.time_base = time_base = Fraction(1, AUDIO_RATE)
        at = -PRIMING_FRAMES * FRAME_SAMPLES
        for packet in _packets(encoded):
            packet.stream, packet.time_base = stream, time_base
            packet.pts = packet.dts = at
            packet.duration = min(FRAME_SAMPLES, samples - at)
            target.mux_one(packet)
            at += FRAME_SAMPLES


def _packets(encoded: Sequence[EncodedStretch]) -> Iterator[Packet[Any]]:
    """Yield the priming packet, and one packet for each frame."""
    for each in encoded:
        lead = each.stretch.lead_samples // FRAME_SAMPLES
        start = lead + PRIMING_FRAMES if each.stretch.first else 0
        end = lead + PRIMING_FRAMES + each.stretch.frames
        count = start
        with open_declared(each.path) as container:
            packets = (packet for packet in container.demux(audio=0) if packet.size)
            for packet in islice(packets, start, end):
                count += 1
                yield packet
        if count != end:
            message = f"{count} packets of sound were encoded instead of {end}"
            raise RetryableError("BrokenSound", message)
