"""Hostile media: the prober ends in time, within its memory, with facts or one error."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from clipmaker import ffmpeg
from clipmill_probe.__main__ import MEMORY_BYTES

ALL = 200
SAMPLE = 40
DEADLINE_S = 60.0
SOURCES = {
    "h264.mp4": ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac"),
    "h264.ts": ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac"),
    "hevc.mkv": ("-c:v", "libx265", "-x265-params", "log-level=none", "-c:a", "flac"),
    "vp9.webm": ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-c:a", "libopus"),
    "mpeg4.avi": ("-c:v", "mpeg4", "-c:a", "mp3"),
    "png.mov": ("-c:v", "png", "-c:a", "pcm_s16le"),
}
# Pictures that are small as files and large as frames.
BOMBS = {
    "8192x8192 of 64 bits": (
        "color=red:s=8192x8192:r=1:d=1",
        ("-c:v", "png", "-pix_fmt", "rgba64be"),
    ),
    "8192x8192 of 24 bits": ("color=red:s=8192x8192:r=1:d=1", ("-c:v", "png", "-pix_fmt", "rgb24")),
}
DISGUISES = {
    "HLS": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nh264.ts\n#EXT-X-ENDLIST\n",
    "ffconcat": "ffconcat version 1.0\nfile h264.mp4\n",
    "DASH": '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period><AdaptationSet><Representation>'
    "<BaseURL>h264.mp4</BaseURL></Representation></AdaptationSet></Period></MPD>",
    "SDP": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=video 9 RTP/AVP 96\n",
}


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one good file of each kind."""
    folder = tmp_path_factory.mktemp("hostile")
    tracks = ("-f", "lavfi", "-i", "testsrc2=s=160x90:r=30:d=1", "-f", "lavfi", "-i", "sine=d=1")
    for name, args in SOURCES.items():
        ffmpeg(*tracks, *args, str(folder / name))
    return folder


def mutate(data: bytes, rng: random.Random) -> bytes:
    """Return a file cut off, with flipped bits, with a stretch repeated, or joined from two."""
    damaged = bytearray(data)
    for _ in range(rng.choice([0, 1, 8, 200])):
        damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
    start = rng.randrange(len(damaged))
    match rng.randrange(4):
        case 0:
            return bytes(damaged[:start])
        case 1:
            return bytes(damaged[:start] + damaged[start // 2 : start] + damaged[start:])
        case 2:
            return bytes(damaged[start:] + damaged[:start])
    return bytes(damaged)


# Runs in a process of its own, so that the peak is that of the prober's children alone.
JUDGE = """
import json, resource, sys, time
from clipmill_probe import MediaError, probe_media
codes, longest = [], 0.0
for path in json.load(sys.stdin):
    began = time.monotonic()
    try:
        probe_media(path, timeout_s=float(sys.argv[1]))
        codes.append("facts")
    except MediaError as error:
        codes.append(error.code)
    longest = max(longest, time.monotonic() - began)
print(json.dumps([codes, longest, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss]))
"""


def probe(*paths: Path) -> list[str]:
    """Return the code of each file's error, or `facts`; assert time and memory."""
    argv = (sys.executable, "-c", JUDGE, str(DEADLINE_S))
    judged = subprocess.run(
        argv,
        check=False,
        input=json.dumps([str(path) for path in paths]),
        capture_output=True,
        text=True,
    )
    assert judged.returncode == 0, judged.stderr
    codes, longest_s, peak_kib = json.loads(judged.stdout)
    assert longest_s < DEADLINE_S + 5
    assert peak_kib * 1024 <= MEMORY_BYTES
    return list(codes)


def test_mutated_files_end_in_facts_or_one_error(sources: Path, tmp_path: Path) -> None:
    """Seeds 0 to 199; a sample of them unless CLIPMILL_FAULTS=all."""
    count = ALL if os.environ.get("CLIPMILL_FAULTS") == "all" else SAMPLE
    paths = []
    for seed in range(count):
        rng = random.Random(seed)
        name = rng.choice(list(SOURCES))
        paths.append(tmp_path / f"{seed}-{name}")
        paths[-1].write_bytes(mutate((sources / name).read_bytes(), rng))
    codes = set(probe(*paths))
    assert "facts" in codes
    assert len(codes) > 2


@pytest.mark.parametrize("name", BOMBS)
def test_large_frames_are_refused_before_they_are_decoded(name: str, tmp_path: Path) -> None:
    """Pixels times depth decide, not the size of the file."""
    picture, args = BOMBS[name]
    path = tmp_path / "bomb.mov"
    ffmpeg("-f", "lavfi", "-i", picture, "-frames:v", "1", *args, str(path))
    assert path.stat().st_size < 12_000_000
    assert probe(path) == ["TooLarge"]


def test_playlists_in_disguise_open_no_other_file(sources: Path) -> None:
    """The file beside them is good: facts would mean that it was opened."""
    paths = [sources / f"{kind}.{suffix}" for kind in DISGUISES for suffix in ("mp4", "ts", "webm")]
    for path in paths:
        path.write_text(DISGUISES[path.stem])
    assert not {"facts", "TooLarge"} & set(probe(*paths))
