"""Fork downloaders from one process, which loads yt-dlp and compiles its patterns of URLs once.

It is started with no environment and holds no secret: the request of a clip, with its credentials,
is read by the child of that clip.
"""

from __future__ import annotations

from yt_dlp.extractor import gen_extractor_classes

from clipmill_job.fetching import downloader
from clipmill_probe.children.child_forks import serve_parent

# No extractor knows it, so that all of them compare it with their patterns.
UNKNOWN_URL = "http://127.0.0.1/"


def main(_: list[str]) -> int:
    """Download as a new process would."""
    return downloader.main()


if __name__ == "__main__":
    for extractor in gen_extractor_classes():
        extractor.suitable(UNKNOWN_URL)
    serve_parent(main)
