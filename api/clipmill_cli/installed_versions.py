"""The versions of Clipmill and of its yt-dlp, without loading either."""

from __future__ import annotations


def installed_versions() -> dict[str, str]:
    """Return the versions by the names of `clipmill version -o json`."""
    import importlib.metadata  # noqa: PLC0415  it takes as long as all else that `main` loads

    return {
        "version": importlib.metadata.version("clipmill"),
        "ytDlp": importlib.metadata.version("yt-dlp"),
    }


def version_text() -> str:
    """Return the versions as one line."""
    versions = installed_versions()
    return f"clipmill {versions['version']} (yt-dlp {versions['ytDlp']})"
