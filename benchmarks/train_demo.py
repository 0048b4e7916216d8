"""Train the Hopf network that ships with the package: python benchmarks/train_demo.py [FILE]."""

import sys
from pathlib import Path

from bifrncrn import library
from bifrncrn.training.train import train

SHIPPED = Path(__file__).parents[1] / "bifrncrn" / "library" / "data" / "hopf_network.json"


def main() -> None:
    fit = train(library.hopf(), perceptrons=5, seeds=10, seed=0)
    fit.network.save(sys.argv[1] if len(sys.argv) > 1 else SHIPPED)
    print(fit)


if __name__ == "__main__":
    main()
