"""`python -m tests.crash` runs the soak: see `tests.crash.soak`."""

import sys

from tests.crash.soak import main

if __name__ == "__main__":
    sys.exit(main())
