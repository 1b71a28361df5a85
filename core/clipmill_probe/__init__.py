"""The one prober: API, job and command line judge media by the same eyes."""

from clipmill_probe.errors import MediaError
from clipmill_probe.prober import check, check_image

__all__ = ["MediaError", "check", "check_image"]
