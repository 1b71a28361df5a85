"""`python -m clipmill_cli.demo`: run the demo."""

import sys

from clipmill.process_privacy import forbid_inspection
from clipmill_cli.demo.demo_run import main

if __name__ == "__main__":
    forbid_inspection()
    sys.exit(main())
