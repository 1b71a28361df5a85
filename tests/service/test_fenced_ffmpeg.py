"""yt-dlp's own calls of ffmpeg: they merge tracks, and open no other file than they name."""

from __future__ import annotations

import subprocess
from pathlib import Path

import av
import pytest
from yt_dlp import YoutubeDL
from yt_dlp.postprocessor import FFmpegMergerPP

from clipmill_job.fetching.downloader import ytdlp_options
from clipmill_job.fetching.fenced_ffmpeg import fence_inputs, write_ffmpeg
from clipmill_job.ffmpeg_binary import find_ffmpeg

PLAYLISTS = {
    "ffconcat": "ffconcat version 1.0\nfile marker.mp4\n",
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nmarker.ts\n#EXT-X-ENDLIST\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a picture, a sound, and a marker that no disguise may open."""
    source = ("-f", "lavfi", "-i", "testsrc2=s=64x64:r=30:d=1", "-f", "lavfi", "-i", "sine=d=1")
    for name, args in {
        "picture.mp4": ("-an",),
        "sound.m4a": ("-vn", "-c:a", "aac"),
        "marker.mp4": ("-an",),
        "marker.ts": ("-an",),
    }.items():
        ffmpeg(find_ffmpeg().path, *source, *args, str(tmp_path / name))
    for kind, text in PLAYLISTS.items():
        (tmp_path / f"{kind}.mp4").write_text(text)
    return tmp_path


def ffmpeg(program: str, *args: str) -> int:
    """Run a program with ffmpeg's arguments and return its exit code."""
    return subprocess.run((program, "-v", "error", "-y", *args), check=False).returncode


def test_each_input_has_the_whitelists() -> None:
    """Also the second one: they are options of an input, not of the program."""
    fenced = fence_inputs(["-y", "-i", "file:a", "-i", "file:b", "-c", "copy", "c.mp4"])
    assert fenced.count("-format_whitelist") == fenced.count("-i") == 2
    assert [fenced[i - 4] for i, word in enumerate(fenced) if word == "-i"] == [
        "-protocol_whitelist"
    ] * 2


def test_yt_dlp_merges_by_the_fenced_program(folder: Path) -> None:
    """The merged file has both tracks."""
    request = {
        "limit_bytes": 10**9,
        "proxy": "",
        "cookies": "",
        "ffmpeg": write_ffmpeg(folder, find_ffmpeg().path),
        "javascript": "none",
    }
    out = folder / "merged.mp4"
    with YoutubeDL(ytdlp_options(request, folder)) as downloader:
        merger = FFmpegMergerPP(downloader)
        assert merger.available
        merger.run(
            {
                "filepath": str(out),
                "__files_to_merge": [str(folder / "picture.mp4"), str(folder / "sound.m4a")],
                "requested_formats": [
                    {"vcodec": "h264", "acodec": "none", "ext": "mp4", "protocol": "https"},
                    {"vcodec": "none", "acodec": "aac", "ext": "m4a", "protocol": "https"},
                ],
            }
        )
    with av.open(str(out)) as merged:
        assert [stream.type for stream in merged.streams] == ["video", "audio"]


@pytest.mark.parametrize("kind", PLAYLISTS)
def test_a_playlist_in_disguise_opens_no_other_file(kind: str, folder: Path) -> None:
    """The fenced program refuses it; it is a playlist that plain ffmpeg follows."""
    fenced = write_ffmpeg(folder, find_ffmpeg().path)
    args = ("-i", f"file:{folder / kind}.mp4", "-c", "copy", str(folder / "out.mp4"))
    assert ffmpeg(fenced, *args) != 0
    assert not (folder / "out.mp4").exists()
    if kind == "ffconcat":  # newer releases of ffmpeg check the extensions of HLS themselves
        assert ffmpeg(find_ffmpeg().path, *args) == 0
