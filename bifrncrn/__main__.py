"""`python -m bifrncrn`."""

import sys

from bifrncrn.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
