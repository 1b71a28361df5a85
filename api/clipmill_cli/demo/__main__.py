"""`python -m clipmill_cli.demo`: run the demo."""

import sys

from clipmill_cli.demo.demo_run import main

if __name__ == "__main__":
    sys.exit(main())
