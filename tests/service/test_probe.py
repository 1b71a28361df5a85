"""The prober on real files: the facts of good ones, the error codes of others."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import clipmaker
from clipmill_probe import Depth, MediaError, probe_media

FASTSTART = ("-movflags", "+faststart")
PLAYLIST = "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"
MPD = '<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"></MPD>\n'


def _text(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def _half(path: Path, extra: tuple[str, ...] = ()) -> Path:
    whole = clipmaker.clip(path.with_stem("whole"), extra=extra)
    return clipmaker.truncate_file(whole, path, 0.5)


def _audio(path: Path) -> Path:
    clipmaker.ffmpeg("-f", "lavfi", "-i", "sine=d=1", str(path))
    return path


def _damaged(path: Path) -> Path:
    whole = bytearray(clipmaker.clip(path.with_stem("whole"), extra=FASTSTART).read_bytes())
    start = whole.index(b"mdat") + 64
    whole[start:] = bytes((i * 73 + 41) % 256 for i in range(len(whole) - start))
    path.write_bytes(whole)
    return path


def _image(path: Path) -> Path:
    clipmaker.ffmpeg(
        "-f", "lavfi", "-i", "testsrc2=s=64x64:r=1:d=1", "-f", "image2", "-update", "1", str(path)
    )
    return path


REFUSED: dict[str, tuple[str, str, Callable[[Path], Path]]] = {
    "no such file": ("Missing", "a.mp4", lambda p: p),
    "0 bytes": ("Empty", "a.mp4", lambda p: _text(p, "")),
    "text called .mp4": ("NotMedia", "a.mp4", lambda p: _text(p, "no video at all\n" * 300)),
    "HLS called .mp4": ("ForbiddenFormat", "a.mp4", lambda p: _text(p, PLAYLIST)),
    "DASH called .mp4": ("ForbiddenFormat", "a.mp4", lambda p: _text(p, MPD)),
    "concat list": ("ForbiddenFormat", "a.mp4", lambda p: _text(p, "ffconcat version 1.0\n")),
    "image": ("NotMedia", "a.png", _image),
    "audio in mp4": ("NoVideo", "a.mp4", _audio),
    "audio file": ("NoVideo", "a.wav", _audio),
    "half an mp4": ("Truncated", "a.mp4", _half),
    "half a faststart mp4": ("Truncated", "a.mp4", lambda p: _half(p, FASTSTART)),
    "half an mkv": ("Truncated", "a.mkv", _half),
    "half a webm": ("Truncated", "a.webm", _half),
    "half an avi": ("Truncated", "a.avi", _half),
    "half an flv": ("Truncated", "a.flv", lambda p: _half(p, ("-ar", "44100"))),
    "noise in the middle": ("Damaged", "a.mp4", _damaged),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refuses_by_a_stable_code(case: str, tmp_path: Path) -> None:
    """Each kind of unusable file has its own code and one line that names the file."""
    code, name, make = REFUSED[case]
    path = make(tmp_path / name)
    with pytest.raises(MediaError) as caught:
        probe_media(path)
    assert caught.value.code == code
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("case", ["half a faststart mp4", "half an mkv", "half a webm"])
def test_truncation_is_found_without_decoding(case: str, tmp_path: Path) -> None:
    """Reading packets alone finds a broken download."""
    code, name, make = REFUSED[case]
    with pytest.raises(MediaError) as caught:
        probe_media(make(tmp_path / name), depth=Depth.PACKETS)
    assert caught.value.code == code


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "webm", "ts", "avi", "flv", "mov"])
@pytest.mark.parametrize("depth", Depth)
def test_good_files(suffix: str, depth: Depth, tmp_path: Path) -> None:
    """Every supported container gives the same facts, by packets or fully decoded."""
    extra = ("-ar", "44100") if suffix == "flv" else ()
    facts = probe_media(clipmaker.clip(tmp_path / f"a.{suffix}", extra=extra), depth=depth)
    assert (facts.width, facts.height, facts.frames) == (320, 180, 60)
    assert abs(facts.duration_us - 2_000_000) < 100_000
    assert facts.audio_codec
    assert (facts.loudness_lufs is not None) == (depth is not Depth.PACKETS)


def test_loudness_is_that_of_the_tone(tmp_path: Path) -> None:
    """The level is that of ffmpeg's meter; silence, 0.3 s and a missing track have none."""
    tone = probe_media(clipmaker.clip(tmp_path / "tone.mp4"))
    quiet = probe_media(clipmaker.clip(tmp_path / "quiet.mp4", sound="anullsrc=r=48000:cl=stereo"))
    short = probe_media(clipmaker.clip(tmp_path / "short.mp4", seconds=0.3))
    mute = probe_media(clipmaker.clip(tmp_path / "mute.mp4", sound=None))
    assert tone.loudness_lufs == pytest.approx(-21.8, abs=0.3)
    assert tone.true_peak_dbtp == pytest.approx(-20, abs=1.5)
    assert (quiet.loudness_lufs, short.loudness_lufs, mute.loudness_lufs) == (None, None, None)
    assert (quiet.audio_codec, mute.audio_codec) == ("aac", None)


def test_display_size(tmp_path: Path) -> None:
    """A rotated video and one with non-square pixels have the size that a player shows."""
    plain = clipmaker.clip(tmp_path / "plain.mp4")
    turned = tmp_path / "turned.mp4"
    clipmaker.ffmpeg("-display_rotation", "90", "-i", str(plain), "-c", "copy", str(turned))
    wide = clipmaker.clip(tmp_path / "wide.mp4", extra=("-vf", "setsar=2"))
    for depth in Depth:
        facts = probe_media(turned, depth=depth)
        assert (facts.width, facts.height) == (180, 320)
        facts = probe_media(wide, depth=depth)
        assert (facts.width, facts.height) == (640, 180)


def test_a_video_that_starts_late_is_longer(tmp_path: Path) -> None:
    """A duration counts from the container's start time, as in the renderer."""
    path = clipmaker.clip(tmp_path / "plain.mkv", seconds=3)
    late = tmp_path / "late.mkv"
    args = ("-i", str(path), "-itsoffset", "0.5", "-i", str(path))
    clipmaker.ffmpeg(*args, "-map", "1:v", "-map", "0:a", "-c", "copy", str(late))
    assert probe_media(late).duration_us == pytest.approx(3_500_000, abs=40_000)


def test_the_deadline_ends_the_child(tmp_path: Path) -> None:
    """A file that is not decoded in time is TooSlow."""
    path = clipmaker.clip(tmp_path / "a.mp4")
    with pytest.raises(MediaError) as caught:
        probe_media(path, timeout_s=0.01)
    assert caught.value.code == "TooSlow"


TAGGED = (
    "-metadata",
    "title=Night: 100 % 'n\\ater",
    "-metadata",
    "artist=\u0645\u0631\u062d\u0628\u0627 \U0001f3b5",
)


@pytest.mark.parametrize("name", ["a.mp3", "a.ogg", "a.opus", "a.flac", "a.wav", "a.m4a"])
def test_an_audio_file_is_accepted_as_music_only(name: str, tmp_path: Path) -> None:
    """As music it has an exact duration, loudness and tags; as a clip it is NoVideo."""
    path = tmp_path / name
    sine = ("-f", "lavfi", "-i", "sine=d=3:r=48000", *TAGGED, "-metadata", "copyright=CC BY 4.0")
    clipmaker.ffmpeg(*sine, str(path))
    with pytest.raises(MediaError) as caught:
        probe_media(path)
    assert caught.value.code == "NoVideo"
    facts = probe_media(path, allow_audio_only=True)
    assert (facts.frames, facts.width, facts.video_codec) == (0, 0, None)
    assert facts.duration_us == pytest.approx(3_000_000, abs=30_000)
    assert facts.loudness_lufs is not None
    if name != "a.wav":  # RIFF tags have no declared encoding
        assert facts.title == "Night: 100 % 'n\\ater"
        assert facts.artist == "\u0645\u0631\u062d\u0628\u0627 \U0001f3b5"
    assert facts.license == "CC BY 4.0"


def test_a_cover_is_not_a_video_stream(tmp_path: Path) -> None:
    """An audio file with a cover is music; the audio of a video may be music too."""
    cover = _image(tmp_path / "cover.png")
    path = tmp_path / "a.mp3"
    sine = ("-f", "lavfi", "-i", "sine=d=1", "-i", str(cover), "-map", "0", "-map", "1")
    clipmaker.ffmpeg(*sine, "-c:v", "copy", "-disposition:v", "attached_pic", str(path))
    assert probe_media(path, allow_audio_only=True).frames == 0
    assert probe_media(clipmaker.clip(tmp_path / "b.mp4"), allow_audio_only=True).frames == 60


@pytest.mark.parametrize("name", ["a.wav", "a.flac"])
def test_a_truncated_audio_file_is_refused(name: str, tmp_path: Path) -> None:
    """Half of an audio file is not usable as music."""
    whole = _audio(tmp_path / f"whole{name}")
    with pytest.raises(MediaError) as caught:
        probe_media(clipmaker.truncate_file(whole, tmp_path / name, 0.5), allow_audio_only=True)
    assert caught.value.code in ("Truncated", "Damaged")


def test_the_child_does_not_load_pydantic() -> None:
    """It starts for every upload, and pydantic alone takes longer to load than many files."""
    script = "import sys, clipmill_probe.__main__, clipmill_probe.decode; print(*sys.modules)"
    done = subprocess.run(
        (sys.executable, "-I", "-c", script), capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert "av" in loaded
    assert loaded.isdisjoint({"pydantic", "clipmill.protocol", "httpx"})


@pytest.mark.parametrize("kind", ["noise", "no packet"])
def test_audio_that_cannot_be_decoded_counts_as_none(kind: str, tmp_path: Path) -> None:
    """The track is listed without a codec; the file plays silent."""
    path = clipmaker.clip(tmp_path / "a.mkv")
    args = {"noise": ("-bsf:a", "noise=amount=1"), "no packet": ("-bsf:a", "noise=drop=1")}[kind]
    broken = tmp_path / "broken.mkv"
    clipmaker.ffmpeg("-i", str(path), "-c", "copy", *args, str(broken))
    facts = probe_media(broken)
    assert (facts.audio_codec, facts.loudness_lufs, facts.frames) == (None, None, 60)
    assert [track.codec for track in facts.audio_tracks] == [None]


def test_an_unforeseen_error_has_a_code(tmp_path: Path) -> None:
    """No exception ends the child without a response."""
    code = (
        "import clipmill_probe.decode as d\n"
        "def fail(*args, **options): raise KeyError('unforeseen')\n"
        "d.read_media = fail\n"
        "from clipmill_probe.__main__ import main\n"
        f"main([{str(tmp_path / 'a.mp4')!r}, 'full', '5', 'video'])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    error = json.loads(done.stdout)["error"]
    assert error["code"] == "Damaged"
    assert "unforeseen" in error["message"]
