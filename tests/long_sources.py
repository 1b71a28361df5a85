"""Long sources of tests and benchmarks: each frame shows its number, bytes are mostly padding."""

from __future__ import annotations

from pathlib import Path

import clipmaker

RATE = 24
BITS = 16
BFRAMES = 2
FRAGMENT_S = 8
SOUND = "aevalsrc=0.3*sin(2*PI*t*(200+t)):s=48000"


def constant_rate(bits_per_s: int) -> tuple[str, ...]:
    """Return ffmpeg's arguments for a constant bit rate, with B-frames and a key frame each 4 s."""
    rate = str(bits_per_s)
    padded = "nal-hrd=cbr:filler=1:scenecut=0"
    form = ("-preset", "veryfast", "-bf", str(BFRAMES), "-g", str(4 * RATE), "-x264-params", padded)
    return (*form, "-b:v", rate, "-maxrate", rate, "-bufsize", rate)


def recording(path: Path, seconds: int, bits_per_s: int = 1_500_000) -> Path:
    """Write an MP4 file with its index at the front."""
    arguments = (*constant_rate(bits_per_s), "-movflags", "+faststart")
    picture = clipmaker.counter(bits=BITS)
    return clipmaker.clip(
        path, seconds=seconds, rate=str(RATE), picture=picture, sound=SOUND, extra=arguments
    )


def repack(source: Path, path: Path, *arguments: str) -> Path:
    """Write the packets of a file into another container."""
    path.parent.mkdir(exist_ok=True)
    clipmaker.ffmpeg("-i", str(source), "-c", "copy", *arguments, str(path))
    return path


def playlist(source: Path, path: Path, *arguments: str) -> Path:
    """Write the packets of a file as an HLS playlist with its fragments."""
    form = ("-hls_time", str(FRAGMENT_S), "-hls_playlist_type", "vod")
    return repack(source, path, *form, *arguments)


def sparse_playlist(source: Path, folder: Path, *, at_s: int, length_s: int) -> Path:
    """Write a long playlist of which the first fragment and those around a time exist.

    Args:
        source: A recording. Its first fragment is that of the playlist, and all of it plays at
            `at_s`.
        folder: Where to write `list.m3u8`.
        at_s: Multiple of the length of a fragment.
        length_s: Length of the playlist.
    """
    playlist(source, folder / "first.m3u8", "-hls_segment_filename", str(folder / "%d.ts"))
    first = at_s // FRAGMENT_S
    names = ("-start_number", str(first), "-hls_segment_filename", str(folder / "%d.ts"))
    # The time stamps of the first fragment were moved, since those of B-frames began below 0.
    offset = f"{at_s + BFRAMES / RATE:.6f}"
    playlist(source, folder / "later.m3u8", "-output_ts_offset", offset, *names)
    count = -(-length_s // FRAGMENT_S)
    lines = [f"#EXTINF:{FRAGMENT_S},\n{i}.ts" for i in range(count)]
    head = f"#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:{FRAGMENT_S}"
    path = folder / "list.m3u8"
    path.write_text("\n".join((head, "#EXT-X-PLAYLIST-TYPE:VOD", *lines, "#EXT-X-ENDLIST\n")))
    return path
