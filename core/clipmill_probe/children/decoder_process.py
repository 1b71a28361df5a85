"""Fork the children of a prober from one process, which loads the decoders once."""

from __future__ import annotations

import clipmill_probe.decode
import clipmill_probe.picture_damage  # noqa: F401  loaded for the children
from clipmill_probe.__main__ import main
from clipmill_probe.children.child_forks import serve_parent

if __name__ == "__main__":
    serve_parent(main)
