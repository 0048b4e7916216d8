"""Saddle-nodes on invariant circles (SNIC) along curves of folds, and the non-central homoclinic orbits at their ends.

On a part of a curve of folds the trajectory that leaves the saddle-node comes back to it. Cycles end there with a
period that grows as one over the root of the distance. Where that part ends at a non-central homoclinic orbit (NCH) a
curve of homoclinic orbits of a saddle goes on (Kuznetsov, Elements of Applied Bifurcation Theory, section 7.2).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from bifrncrn.base.arrays import frozen
from bifrncrn.base.checks import require_kind
from bifrncrn.base.errors import InputError
from bifrncrn.base.progress import progress
from bifrncrn.continuation.options import Options, begun
from bifrncrn.curves.loci.starting import parts, prepare
from bifrncrn.diagrams.results import Branch, Diagram, End, Profile, SpecialPoint
from bifrncrn.diagrams.snic_loops import Folds, Loop, folds_of
from bifrncrn.trajectories.saddle_nodes import ROUGH

SAMPLES = 41
"""At so many points of a curve of folds it is looked what becomes of the trajectory that leaves the saddle-node."""

SAME = 1e-6
"""Two points whose parameters differ by less than this, relatively, are one."""


@dataclass(frozen=True, eq=False)
class Section:
    """A part of a curve of folds on which the saddle-node lies on a circle: its loops, and why it ends."""

    folds: Folds
    loops: list[Loop]
    ended: tuple[End, End]


def with_snic(diagram: Diagram, *, options: Options | None = None) -> Diagram:
    """Return a diagram in two parameters with those parts of its curves of folds where saddle-nodes lie on circles.

    At points along every curve of folds the trajectory that leaves the saddle-node is followed. Where it comes back to
    it, the saddle-node lies on an invariant circle (SNIC), and cycles begin or end there with infinite period. Where
    that ceases the place is located: a non-central saddle-node homoclinic orbit (NCH), from which homoclinic orbits of
    a saddle go on, or a connection with something else.

    Parameters
    ----------
    diagram : Diagram
        With curves of folds: of `locus` at an LP, or of `with_loci`.
    options : Options, optional
        Its time limit counts.

    Returns
    -------
    Diagram
        With branches of kind `snic`, whose points each were seen to be such; they hold the homoclinic orbits. What
        could not be decided is in its notes.

    Raises
    ------
    InputError
        If the diagram has no curve of folds, or does not know its model.

    Notes
    -----
    A part that lies between two of the points looked at, 41 on each curve, is not seen. Saddle-nodes whose other
    eigenvalues lie on both sides of the imaginary axis are not decided. Where a state is an angle the model must say so
    (`periodic`).

    Examples
    --------
    >>> from bifrncrn import System, diagram, locus
    >>> pendulum = {"th": "v", "v": "i - sin(th) - al*v"}
    >>> model = System.from_equations(pendulum, {"i": 0.5, "al": 1.5}, {"th": 0.5, "v": 0.0}, periodic=["th"])
    >>> found = with_snic(locus(diagram(model, "i", (0, 1.5)).special("LP")[0], "al", (1, 2)))
    >>> print(f"{found.special('NCH')[0].parameters['al']:.4f}")
    1.1930
    """
    require_kind(diagram, Diagram, "a diagram")
    if not any(branch.kind == "fold" for branch in diagram.branches):
        raise InputError(
            "the diagram has no curve of folds; follow an LP in two parameters first, by locus or with_loci"
        )
    if diagram.system is None:
        raise InputError("the diagram has lost its model (it was loaded from a file that holds none); compute it again")
    return added(diagram, begun(options))


def added(diagram: Diagram, options: Options) -> Diagram:
    """Return a diagram with what `with_snic` adds."""
    branches, points, notes = list(diagram.branches), list(diagram.special_points), list(diagram.notes)
    curves = [branch for branch in branches if branch.kind == "fold" and len(branch.points) > 1]
    with progress("following trajectories from saddle-nodes", len(curves) * SAMPLES) as step:
        for curve in curves:
            sections, said = _sections(diagram, curve, options, step)
            notes += said
            for section in sections:
                branch, special = _branch(diagram, section, len(branches))
                branches.append(branch)
                points += [point for point in special if not _is_known(point, points, diagram)]
    return replace(diagram, branches=tuple(branches), special_points=tuple(points), notes=tuple(dict.fromkeys(notes)))


def _is_known(point: SpecialPoint, points: list[SpecialPoint], diagram: Diagram) -> bool:
    """Say whether a point is one that a curve of homoclinic orbits ends at: each is listed once."""
    assert diagram.second_range is not None
    widths = {diagram.parameter: diagram.range, diagram.second: diagram.second_range}
    return any(
        other.label == point.label
        and all(
            abs(other.parameters[k] - v) <= SAME * (widths[k][1] - widths[k][0] + abs(v))
            for k, v in point.parameters.items()
        )
        for other in points
    )


def _sections(
    diagram: Diagram, curve: Branch, options: Options, step: Callable[[], None]
) -> tuple[list[Section], list[str]]:
    """Return the parts of a curve of folds on circles, and sentences on what was not decided."""
    system, second = diagram.system, diagram.second
    assert system is not None and second is not None
    kept = list(diagram.reduction.kept) if diagram.reduction is not None else list(range(len(system.variables)))
    rows = np.column_stack([curve.points[:, [2 + k for k in kept]], curve.points[:, :2]])
    folds = folds_of(system, (diagram.parameter, second), rows, diagram.range[1] - diagram.range[0])
    loops: list[Loop] = []
    for row in np.unique(np.linspace(0, len(rows) - 1, min(len(rows), SAMPLES)).astype(int)).tolist():
        if options.late:
            return [], [f"On branch {curve.id} it was not looked whether saddle-nodes lie on circles: {options.said}"]
        loops.append(folds.loop(rows[row], ROUGH))
        step()
    ends = curve.ended
    if ends[0].reason == "closed" and loops[0].home != loops[-1].home:  # the first is the last but for rounding
        loops[-1] = loops[0]
    if ends[0].reason == "closed" and loops[0].home and not all(loop.home for loop in loops):
        begin = next(k for k, loop in enumerate(loops) if not loop.home)  # a part goes across where it was begun
        loops = [*loops[begin:-1], *loops[: begin + 1]]
    return _runs(folds, loops, ends), _undecided(curve, loops)


def _runs(folds: Folds, loops: list[Loop], ends: tuple[End, ...]) -> list[Section]:
    """Return the runs of saddle-nodes on circles among points of a curve, with what is at their ends."""
    home = np.array([0, *(int(loop.home is True) for loop in loops), 0])
    sections = []
    for begin, after in zip(np.flatnonzero(np.diff(home) > 0), np.flatnonzero(np.diff(home) < 0), strict=True):
        run = loops[begin:after]
        first, last = ends[0], ends[1]
        if begin > 0:
            extra, first = _end(folds, loops[begin], loops[begin - 1])
            run = [*extra, *run]
        if after < len(loops):
            extra, last = _end(folds, loops[after - 1], loops[after])
            run = [*run, *extra]
        sections.append(Section(folds, run, (first, last)))
    return sections


def _end(folds: Folds, inside: Loop, outside: Loop) -> tuple[list[Loop], End]:
    """Return the point at which a part on circles ends between two points, if it is located, and why it ends there."""
    names = folds.problem.first, folds.problem.second
    found = None if outside.way is None else folds.end(inside.y, outside.y)
    if found is None:
        why = (
            "what becomes of the trajectory that leaves the saddle-node is not known"
            if outside.node is not None
            else "the eigenvalues of the saddle-node beside the zero one lie on both sides, or it is a cusp"
        )
        return [], End("undecided", f"{why} at {_place(names, outside.y)}")
    where = _place(names, found.y)
    if found.is_noncentral:
        return [found], End(
            "noncentral",
            f"the trajectory comes back in the strong stable manifold at {where} (NCH): homoclinic orbits of a saddle "
            "go on from there",
        )
    return [], End(
        "connection",
        f"beyond {where} the trajectory that leaves the saddle-node does not come back: it meets something else on its "
        "way, or passes more often than was watched",
    )


def _place(names: tuple[str, str], y: np.ndarray) -> str:
    return ", ".join(f"{name}={value:.9g}" for name, value in zip(names, y[-2:].tolist(), strict=True))


def _undecided(curve: Branch, loops: list[Loop]) -> list[str]:
    """Say of how many points of a curve it is not known whether they lie on circles."""
    sides = sum(loop.node is None for loop in loops)
    lost = sum(loop.way is None for loop in loops) - sides
    whys = {
        "the other eigenvalues of the saddle-node lie on both sides": sides,
        "what becomes of the trajectory that leaves it is not known": lost,
    }
    away = sum(loop.home is False for loop in loops)
    none = (
        f"On branch {curve.id} no saddle-node was seen to lie on a circle: of {len(loops)} trajectories none came back."
    )
    return ([none] if away == len(loops) else []) + [
        f"Whether saddle-nodes of branch {curve.id} lie on circles was not decided at {count} of {len(loops)} points: "
        f"{why}."
        for why, count in whys.items()
        if count
    ]


def _branch(diagram: Diagram, section: Section, number: int) -> tuple[Branch, list[SpecialPoint]]:
    """Return a part of a curve of folds on circles as a branch, and the non-central orbits at its ends."""
    system, reduction = diagram.system, diagram.reduction
    assert system is not None
    problem = section.folds.problem
    columns = diagram.parameter, problem.second
    names = reduction.whole.variables if reduction is not None else system.variables
    points = np.array([loop.y for loop in section.loops])
    table, profiles = [], []
    for loop in section.loops:
        arc = loop.arc()
        states = np.vstack([arc.saddle, arc.nodes[:-1]])
        if reduction is not None:
            states = reduction.at(states, dict(zip(columns, arc.p.tolist(), strict=True)))
        table.append([*arc.p, *states[0]])
        profiles.append(Profile(arc.time, frozen(arc.phases[:-1]), frozen(states[1:])))
    eigenvalues, unstable = problem.spectra(points)
    special = []
    for row in dict.fromkeys((0, len(points) - 1)):
        if section.loops[row].is_noncentral and section.ended[0 if row == 0 else 1].reason == "noncentral":
            prepare(problem, *parts(problem, points[row]))
            special.append(
                SpecialPoint(
                    label="NCH",
                    branch=number,
                    index=row,
                    parameters=dict(zip(columns, table[row][:2], strict=True)),
                    state=dict(zip(names, table[row][2:], strict=True)),
                    status="converged",
                    residual=problem.residual(points[row]),
                    eigenvalues=frozen(eigenvalues[row], complex),
                    system=system,
                    reduction=reduction,
                )
            )
    branch = Branch(
        id=number,
        kind="snic",
        columns=(*columns, *names),
        points=frozen(table),
        unstable=frozen(unstable, int),
        eigenvalues=frozen(eigenvalues, complex),
        origin=None,
        ended=section.ended,
        profiles=tuple(profiles),
    )
    return branch, special
