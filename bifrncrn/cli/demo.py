"""The main job on shipped data: a network that this project trained, against its target."""

from __future__ import annotations

import os
from importlib.resources import as_file, files
from pathlib import Path

from bifrncrn.base.errors import InputError
from bifrncrn.comparison.comparison import Comparison
from bifrncrn.proofs.result import Proof

TOLERANCE = 0.05


def demo(folder: str | os.PathLike[str]) -> tuple[Comparison, Proof, list[Path]]:
    """Compare the shipped Hopf network with its target and write the results.

    Parameters
    ----------
    folder : path
        Where the files go; it is made if it is not there.

    Returns
    -------
    Comparison
    Proof
        What equilibria and Hopf points the reduced network has in the target's box.
    list of Path
        The files written: the picture as PNG and PDF, the comparison, the network and the proof as JSON.

    Raises
    ------
    InputError
        If the folder cannot be made or written to.
    """
    from bifrncrn import library
    from bifrncrn.chemistry.networks.network import Network
    from bifrncrn.comparison.compare import compare
    from bifrncrn.plots.comparison import save_comparison
    from bifrncrn.proofs.prove import prove_learned

    out = Path(folder)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot make the folder {out}: {error.strerror}; give another one with --out") from error
    with as_file(files("bifrncrn.library") / "data" / "hopf_network.json") as path:
        network = Network.load(path)
    comparison = compare(library.get("hopf"), network, tolerance=TOLERANCE)
    written = [
        out / name for name in ("hopf.png", "hopf.pdf", "hopf_comparison.json", "hopf_network.json", "hopf_proof.json")
    ]
    for picture in written[:2]:
        save_comparison(comparison, picture)
    comparison.save(written[2])
    network.save(written[3])
    proof = prove_learned(network, library.get("hopf"))
    proof.save(written[4])
    return comparison, proof, written
