"""Where a curve of homoclinic orbits of a saddle ends at a curve of folds: a non-central saddle-node homoclinic orbit.

The saddle's slowest eigenvalue goes to zero there like the distance along the curve, which touches the curve of folds.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bifrncrn.continuation.options import Options
from bifrncrn.curves.homoclinic.following import Row
from bifrncrn.curves.loci.problem import LocusProblem
from bifrncrn.curves.loci.starting import onto, prepare, units
from bifrncrn.diagrams.locus_following import Follower
from bifrncrn.diagrams.snic_loops import Folds, folds_of
from bifrncrn.models.system import System
from bifrncrn.trajectories.saddle_nodes import ROUGH

ROWS = 12
"""So many points of the curve of folds, to either side of where the end is expected, are looked at."""
STEP = 0.02
"""The length of a step along the curve of folds, in units of the unknowns, is no longer than this."""
EXPECTED = 0.5
"""The end is this near to where it is expected, in terms of how far that is from the last orbit."""
FOLLOWED = 60
"""Points of the curve of folds, each way."""


def end_of(
    system: System, names: tuple[str, str], rows: list[Row], widths: tuple[float, float], options: Options
) -> Row | None:
    """Return the non-central homoclinic orbit in which a curve of homoclinic orbits ends, None where none is found.

    Parameters
    ----------
    system : System
        Without conserved sums.
    names : (str, str)
        The parameters.
    rows : list of Row
        Of the curve, up to its last.
    widths : (float, float)
        Units of the parameters.
    options : Options
    """
    ahead = _expected(rows)
    if ahead is None:
        return None
    goal, far = ahead
    folds = _folds_near(system, names, rows[-1], goal, widths, options)
    if folds is None:
        return None
    off = np.linalg.norm((folds.points[:, -2:] - goal) / widths, axis=1)
    near = int(np.argmin(off))
    loops = {}
    for row in range(max(near - ROWS, 0), min(near + ROWS + 1, len(folds.points))):
        loops[row] = folds.loop(folds.points[row], ROUGH)
    changes = [row for row in loops if row + 1 in loops and loops[row].home is not loops[row + 1].home]
    for row in sorted(changes, key=lambda row: min(off[row], off[row + 1])):
        found = folds.end(loops[row].y, loops[row + 1].y)
        if found is not None and found.is_noncentral:
            close = np.linalg.norm((found.y[-2:] - goal) / widths)
            if close > EXPECTED * np.linalg.norm(far / widths):
                continue
            spectrum = folds.problem.spectra(found.y[None])[0][0]
            spectrum[np.argmin(np.abs(spectrum))] = 0.0
            spectrum = np.sort_complex(spectrum)[::-1]
            return Row(found.arc(), spectrum, folds.problem.residual(found.y), "NCH")
    return None


def _expected(rows: list[Row]) -> tuple[np.ndarray, np.ndarray] | None:
    """Return where the slowest eigenvalue is zero if it goes on as between the last orbits, and how far that is."""
    rows = [row for k, row in enumerate(rows) if k == 0 or np.any(row.arc.p != rows[k - 1].arc.p)]
    if len(rows) < 2:
        return None
    slow = [row.eigenvalues[int(np.argmin(np.abs(row.eigenvalues.real)))] for row in rows[-2:]]
    if any(value.imag != 0.0 for value in slow) or not abs(slow[1].real) < abs(slow[0].real):
        return None
    share = slow[1].real / (slow[0].real - slow[1].real)
    far = share * (rows[-1].arc.p - rows[-2].arc.p)
    return rows[-1].arc.p + far, far


def _folds_near(
    system: System, names: tuple[str, str], row: Row, goal: np.ndarray, widths: tuple[float, float], options: Options
) -> Folds | None:
    """Return the curve of folds at which a saddle becomes a saddle-node, near where that is expected."""
    saddle = row.arc.saddle
    first = folds_of(system, names, np.array([[*saddle, *row.arc.p]]), widths[0])
    problem: LocusProblem = first.problem
    y = prepare(problem, saddle, float(goal[0]), float(goal[1]))
    if y is None:
        return None
    scale = units(problem, y)
    scale[-1] = widths[1]
    for fixed in (-1, -2):
        normal = np.zeros(len(y))
        normal[fixed] = 1.0
        at = onto(problem, y, normal / scale, scale)
        if at is not None and prepare(problem, at[:-2], float(at[-2]), float(at[-1])) is not None:
            break
    else:
        return None
    around = (float(at[-1]) - widths[1], float(at[-1]) + widths[1])
    short = replace(options, step=min(options.step, STEP), max_points=FOLLOWED)
    locus = Follower(problem, around, (-np.inf, np.inf), short).follow(at)
    return None if locus is None else Folds(problem, locus.points)
