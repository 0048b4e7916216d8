"""`python -m bifrncrn`."""

import sys

if not getattr(sys.flags, "safe_path", False):
    del sys.path[0]  # the current folder, which `-m` puts there: a json.py that lies in it is not ours to run

from bifrncrn.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
