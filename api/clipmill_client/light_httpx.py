"""Load httpx without its own command line.

Where click, rich and pygments are installed, `import httpx` loads all three for the command
`httpx`, which takes almost half of its time. Without them it does as it does here.
"""

from __future__ import annotations

import sys
from typing import Any

MODULE = "httpx._main"
_modules: dict[str, Any] = sys.modules
if "httpx" not in _modules:
    _modules[MODULE] = None
    import httpx  # noqa: F401

    del _modules[MODULE]
