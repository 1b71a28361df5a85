"""Facts of untrusted media files, read in a limited child process.

In: a file's path. Out: `MediaFacts`, or a `MediaError` with a stable code.
"""

from clipmill_probe.depth import Depth
from clipmill_probe.errors import MediaError
from clipmill_probe.prober import find_damage, probe_image, probe_media

__all__ = ["Depth", "MediaError", "find_damage", "probe_image", "probe_media"]
