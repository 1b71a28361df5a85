"""Which ffmpeg is used: a supported one on the PATH, else the bundled one, else none."""

from pathlib import Path

import imageio_ffmpeg
import pytest

from clipmill_client.errors import PermanentError
from clipmill_job.ffmpeg_binary import find_ffmpeg, is_supported

VERSIONS = [
    ("ffmpeg version 9.1-static\nconfiguration: --enable-gpl --enable-libx264", True),
    ("ffmpeg version 7.1.1-static\nconfiguration: --enable-gpl --enable-libx264", False),
    ("ffmpeg version n9.0.2-17-g2a571b\nconfiguration: --enable-libx264", True),
    ("ffmpeg version 5.1.6-0+deb12u1\nconfiguration: --enable-libx264", False),
    ("ffmpeg version 9.0\nconfiguration: --disable-gpl", False),
    ("ffmpeg version git-2026\nconfiguration: --enable-libx264", False),
    ("", False),
]


@pytest.mark.parametrize(("version_text", "supported"), VERSIONS)
def test_supported_versions(version_text: str, supported: bool) -> None:
    """Release 9 or later with libx264; a version that cannot be parsed is not supported."""
    assert is_supported(version_text) is supported


def _program(path: Path, release: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\necho 'ffmpeg version {release}'\necho '--enable-libx264'\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("on_path", "bundled", "expected"),
    [("9.1", "9.0", "9.1"), ("7.1", "9.0", "9.0"), (None, "9.0", "9.0")],
)
def test_the_one_on_the_path_comes_first(
    on_path: str | None,
    bundled: str,
    expected: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One that is too old is passed over."""
    if on_path:
        _program(tmp_path / "bin" / "ffmpeg", on_path)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    path = _program(tmp_path / "bundled", bundled)
    monkeypatch.setattr(imageio_ffmpeg, "get_ffmpeg_exe", lambda: str(path))
    assert find_ffmpeg().version == f"ffmpeg version {expected}"


@pytest.mark.parametrize("bundled", ["7.1", None])
def test_without_a_supported_one_there_is_one_error(
    bundled: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bundled one is checked, too; the error is permanent and names what is required."""
    monkeypatch.setenv("PATH", str(tmp_path))

    def path() -> str:
        if bundled is None:
            raise RuntimeError("No ffmpeg exe could be found")
        return str(_program(tmp_path / "bundled", bundled))

    monkeypatch.setattr(imageio_ffmpeg, "get_ffmpeg_exe", path)
    with pytest.raises(PermanentError) as caught:
        find_ffmpeg()
    assert caught.value.code == "UnsupportedFfmpeg"


def test_the_installed_one_is_supported() -> None:
    """The ffmpeg of the lock file meets the requirement."""
    assert find_ffmpeg().version.startswith("ffmpeg version ")
