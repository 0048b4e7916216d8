"""Make the pictures of the README, with the commands that the README shows."""

import shutil
import tempfile
from pathlib import Path

from bifrncrn.cli.main import main

PICTURES = Path(__file__).parent / "pictures"
TANK = ["ab_reaction", "--parameter", "D", "--range", "0", "0.16", "--set", "B=14,beta=2"]


def make() -> None:
    """Write the pictures beside this file; raise SystemExit where a command fails."""
    with tempfile.TemporaryDirectory() as folder:
        run("demo", "--out", folder)
        shutil.copy(Path(folder) / "hopf.png", PICTURES / "comparison.png")
    run("diagram", *TANK, "--orbits", "--plot", str(PICTURES / "diagram.png"))
    run("bench", *TANK, "--plot", str(PICTURES / "bench.png"))


def run(*words: str) -> None:
    """Run one command line."""
    code = main(words)
    if code != 0:
        raise SystemExit(code)


if __name__ == "__main__":
    make()
