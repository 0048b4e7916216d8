"""What two diagrams show at one value of the parameter after the other: how many equilibria and cycles, how stable."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from bifrncrn.comparison.comparison import Disagreement
from bifrncrn.comparison.matching import REACH, assigned
from bifrncrn.comparison.window import Window
from bifrncrn.diagrams.results import Branch, Diagram

VALUES = 97  # parameter values looked at, evenly over the range
FINER = 4.0  # of them fall into one tolerance, at least
MOST = 2000
SAME = 1e-6  # of the region: solutions closer than this are one seen twice
# of the region: cycles of two branches of equal stability closer than this are one, from which interpolation between
# rows keeps them; two real ones this near would have one of other stability between them
SAME_CYCLE = 2e-3
BORN = 1e-6  # of the size of the next cycle of its branch: one this small is the Hopf point itself
SLIGHT = 0.01  # of a cycle's largest extent: an extent below this is compared in this unit


@dataclass(frozen=True, eq=False)
class Section:
    """The equilibria, or the cycles, of one diagram at one value of the parameter.

    Attributes
    ----------
    places : (k, n) array
        The common states; of cycles their minima, then their maxima.
    unstable : (k,) array
        Number of unstable directions, -1 where it is not known.
    judged : (k,) array
        Whether each lies in the region.
    periods : (k,) array
        NaN for equilibria.
    branches : (k,) array
        The number in the diagram of the branch each lies on.
    rows : (k,) array
        The row of its branch before each.
    """

    places: np.ndarray
    unstable: np.ndarray
    judged: np.ndarray
    periods: np.ndarray
    branches: np.ndarray
    rows: np.ndarray


def values_of(window: Window, tolerance: float) -> np.ndarray:
    """Return the parameter values looked at: never an end or a simple fraction, where special points like to be."""
    count = int(min(MOST, max(VALUES, np.ceil(FINER / tolerance))))
    return window.lower[0] + window.width * (np.arange(count) + 0.5 + 0.01 * np.pi) / (count + 0.1)


@dataclass(frozen=True, eq=False)
class _Table:
    """A branch as rows: its parameter, and period, branch, number of the row, then the columns.

    The numbers of unstable directions of its points are -1 where it is not known, or not told by linear terms, whether
    they are stable.
    """

    directions: np.ndarray
    at: np.ndarray
    rows: np.ndarray
    special: frozenset[int]


@dataclass(frozen=True, eq=False)
class Slices:
    """The branches of a kind in a diagram, ready to be cut at many values of the parameter.

    Attributes
    ----------
    kind : str
        `equilibrium` or `periodic`.
    states : int
        How many common states there are.
    tables : tuple
        The branches that have them.
    """

    kind: str
    states: int
    tables: tuple[_Table, ...]

    @classmethod
    def of(cls, diagram: Diagram, kind: str, names: Sequence[str]) -> Slices:
        """Return those of a diagram."""
        columns = list(names) if kind == "equilibrium" else [f"{e} {name}" for e in ("min", "max") for name in names]
        kept = (b for b in diagram.branches if b.kind == kind and set(columns) <= set(b.columns))
        return cls(kind, len(names), tuple(_table(diagram, branch, columns) for branch in kept))

    def at(self, values: np.ndarray, window: Window) -> list[Section]:
        """Return what the branches have at each of some values of the parameter."""
        n = self.states
        width = n if self.kind == "equilibrium" else 2 * n
        parts = [_crossings(table, self.kind, values) for table in self.tables]
        which = np.concatenate([np.empty(0, int), *(found for found, _ in parts)])
        rows = np.concatenate([np.empty((0, width + 4)), *(part for _, part in parts)])
        order = np.argsort(which, kind="stable")
        which, rows = which[order], rows[order]
        places = rows[:, 4:]
        middle = places if self.kind == "equilibrium" else 0.5 * (places[:, :n] + places[:, n:])
        judged = window.judges(np.column_stack([values[which], middle]))
        scale = np.resize(window.scale[1:], width)
        ends = np.searchsorted(which, np.arange(len(values) + 1))
        return [_section(rows[i:j], judged[i:j], scale, self.kind) for i, j in itertools.pairwise(ends.tolist())]


def _section(rows: np.ndarray, judged: np.ndarray, scale: np.ndarray, kind: str) -> Section:
    """Return the section of rows (unstable, period, branch, row, columns...), without what is there twice."""
    kept: list[int] = []
    for k, row in enumerate(rows):
        if not any(_same(rows[i], row, np.abs((row[4:] - rows[i, 4:]) / scale).max(), kind) for i in kept):
            kept.append(k)
    if len(kept) < len(rows):
        rows, judged = rows[kept], judged[kept]
    count, branch, before = (rows[:, k].astype(int) for k in (0, 2, 3))
    return Section(rows[:, 4:], count, judged, rows[:, 1], branch, before)


def section(diagram: Diagram, kind: str, names: Sequence[str], value: float, window: Window) -> Section:
    """Return what the branches of a kind have at a value of the parameter."""
    return Slices.of(diagram, kind, names).at(np.array([value]), window)[0]


@dataclass(frozen=True, eq=False)
class Nearby:
    """The cycles of a diagram at parameters within `reach` of a value."""

    diagram: Diagram
    names: Sequence[str]
    reach: float
    tables: dict[int, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)

    def at(self, value: float) -> Callable[[int], np.ndarray]:
        """Return what gives rows (period, minima, maxima) of the branch of a number near a value."""

        def rows(number: int) -> np.ndarray:
            if number not in self.tables:
                branch = self.diagram.branches[number]
                columns = ["period", *(f"{end} {name}" for end in ("min", "max") for name in self.names)]
                data = np.stack([branch.column(name) for name in columns], axis=1)
                self.tables[number] = branch.column(self.diagram.parameter), data
            p, data = self.tables[number]
            return np.asarray(data[np.abs(p - value) <= self.reach])

        return rows


def _table(diagram: Diagram, branch: Branch, columns: list[str]) -> _Table:
    data = np.stack([branch.column(name) for name in columns], axis=1)
    period = branch.column("period") if "period" in branch.columns else np.full(len(data), np.nan)
    rows = np.column_stack([period, np.full(len(data), branch.id), np.arange(len(data)), data])
    special = {p.index for p in diagram.special_points if p.branch == branch.id}
    if branch.kind == "periodic":  # the Hopf point at an end of it has the stability of no cycle
        extent = np.abs(data[:, data.shape[1] // 2 :] - data[:, : data.shape[1] // 2]).max(axis=1, initial=0.0)
        special |= set(np.flatnonzero(extent <= BORN * extent.max(initial=0.0)).tolist())
    directions = np.where(branch.stability == "neutral", -1, branch.unstable)
    return _Table(directions, branch.column(diagram.parameter), rows, frozenset(special))


def _same(first: np.ndarray, second: np.ndarray, apart: float, kind: str) -> bool:
    """Say whether two rows (unstable, period, branch, ...) `apart` are one solution seen twice."""
    if first[0] != second[0]:
        return False
    if kind == "periodic" and first[2] != second[2]:
        return apart < SAME_CYCLE and abs(first[1] - second[1]) < SAME_CYCLE * first[1]
    return apart < SAME


def _crossings(table: _Table, kind: str, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where a branch crosses values of the parameter.

    Numbers (k,) of the values, and rows (unstable, period, branch, row, columns...) there.
    """
    below = table.at < values[:, None]
    which, at = np.nonzero(below[:, :-1] != below[:, 1:])
    away, beyond = table.at[at] - values[which], table.at[at + 1] - values[which]
    share = (away / (away - beyond))[:, None]
    first, last = table.rows[at], table.rows[at + 1]
    rows = first + share * (last - first)
    rows[:, 2] = at
    if kind == "periodic":
        rows[:, 3:] = _extremes(first[:, 3:], last[:, 3:], share)
    return which, np.column_stack([_between(table, at), rows])


def _extremes(first: np.ndarray, last: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Return minima and maxima, shape (k, 2 n), of cycles between two rows of a branch; see `grown`."""
    n = first.shape[1] // 2
    one, two = (0.5 * (rows[:, n:] - rows[:, :n]) for rows in (first, last))
    middle = [0.5 * (rows[:, n:] + rows[:, :n]) for rows in (first, last)]
    centre = middle[0] + share * (middle[1] - middle[0])
    half = grown(one, two, share)
    return np.hstack([centre - half, centre + half])


def grown(first: np.ndarray, last: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Return the deviations (k, n) from their middles that cycles have between two rows of a branch, at shares (k, 1).

    Each is linear in the parameter, but from a Hopf point, where a cycle has no size, it grows like the root of the
    parameter's distance; the first row beside the point may be several tolerances away.
    """
    sizes = [np.abs(rows).max(axis=1, keepdims=True, initial=0.0) for rows in (first, last)]
    onward, back = np.sqrt(share) * last, np.sqrt(1 - share) * first
    plain = first + share * (last - first)
    return np.where(sizes[0] <= BORN * sizes[1], onward, np.where(sizes[1] <= BORN * sizes[0], back, plain))


def _between(table: _Table, rows: np.ndarray) -> np.ndarray:
    """Return the numbers of unstable directions between each of some rows and the next; at a special point it changes.

    It is -1 where it is not known.
    """
    first, last = table.directions[rows], table.directions[rows + 1]
    special = np.zeros(len(table.at), bool)
    special[[row for row in table.special if 0 <= row < len(special)]] = True
    here, there = special[rows], special[rows + 1]
    plain = np.where(first == last, first, -1)
    return np.where(here, np.where(there, -1, last), np.where(there, first, plain))


def pairs(first: Section, second: Section, scale: np.ndarray) -> list[tuple[int, int]]:
    """Return which solutions correspond: the nearest, and rather those of equal stability."""
    gap = (first.places[:, None] - second.places[None]) / scale
    cost = np.sqrt(np.mean(gap**2, axis=2)) if gap.size else np.empty(gap.shape[:2])
    other = _differ(first.unstable[:, None], second.unstable[None])
    return assigned(cost + REACH / 2 * other)


def _differ(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.asarray((a != b) & (a >= 0) & (b >= 0))


def counted(first: Section, second: Section, window: Window, noun: str, words: tuple[str, str]) -> str | None:
    """Return how two sections differ in number or stability, in words; None where they do not."""
    repeat = 1 if noun == "equilibrium" else 2
    together = pairs(first, second, np.tile(window.scale[1:], repeat))
    left, right = {i for i, _ in together}, {j for _, j in together}
    alone = any(first.judged[i] for i in range(len(first.judged)) if i not in left)
    alone |= any(second.judged[j] for j in range(len(second.judged)) if j not in right)
    turned = any(
        _differ(first.unstable[i], second.unstable[j]) and (first.judged[i] or second.judged[j]) for i, j in together
    )
    if not alone and not turned:
        return None
    one, two = (_described(part, noun) for part in (first, second))
    if one == two:
        return f"both have {one}, but they do not correspond"
    return f"the {words[0]} has {one} and the {words[1]} {two}"


def unclear(first: Section, second: Section, noun: str, words: tuple[str, str]) -> str | None:
    """Return whose stability is not known, in words; None where all of it is."""
    for part, word in zip((first, second), words):
        if (part.unstable[part.judged] < 0).any():
            plural = {"equilibrium": "equilibria", "cycle": "cycles"}[noun]
            return f"the stability of {plural} of the {word} is not known"
    return None


def _described(part: Section, noun: str) -> str:
    """Return the number and stability of what is judged, in words."""
    unstable = part.unstable[part.judged]
    if not len(unstable):
        return f"no {noun}"
    stable, unknown = int((unstable == 0).sum()), int((unstable < 0).sum())
    plural = {"equilibrium": "equilibria", "cycle": "cycles"}[noun]
    if len(unstable) == 1:
        kind = "stable" if stable else "one of unknown stability," if unknown else f"unstable ({unstable[0]})"
        return f"one {noun}, {kind}".replace("one of unknown stability,", "of unknown stability")
    directions = ", ".join(str(count) if count >= 0 else "?" for count in sorted(unstable.tolist()))
    return f"{len(unstable)} {plural} with {directions} unstable directions"


def resized(first: Section, second: Section, window: Window, nearby: Callable[[int], np.ndarray], allowed: float,
            names: Sequence[str], words: tuple[str, str]) -> str | None:  # fmt: skip
    """Return how the periods or extents of corresponding cycles differ, in words; None where they do not.

    `nearby` returns rows (period, minima, maxima) of a branch of the second diagram at parameters within tolerance.
    """
    n = len(names)
    for i, j in pairs(first, second, np.tile(window.scale[1:], 2)):
        if not (first.judged[i] or second.judged[j]):
            continue
        row = np.append(second.periods[j], second.places[j])
        if (
            min(size_error(first.periods[i], first.places[i], r, n)[0] for r in [row, *nearby(second.branches[j])])
            <= allowed
        ):
            continue
        _, what = size_error(first.periods[i], first.places[i], row, n)
        if what < 0:
            return (
                f"the cycle of the {words[0]} has period {first.periods[i]:.4g} and that of the {words[1]} {row[0]:.4g}"
            )
        extents = [place[n + what] - place[what] for place in (first.places[i], second.places[j])]
        return (
            f"the cycle of the {words[0]} has extent {extents[0]:.4g} in {names[what]} and that of the {words[1]} "
            f"{extents[1]:.4g}"
        )
    return None


def size_error(period: float, place: np.ndarray, row: np.ndarray, n: int) -> tuple[float, int]:
    """Return the largest relative difference of period or extents, and which: -1 the period, else the state."""
    extent, other = place[n:] - place[:n], row[1 + n :] - row[1 : 1 + n]
    unit = np.maximum(extent, SLIGHT * max(float(extent.max(initial=0.0)), 1e-300))
    errors = np.append(abs(row[0] / period - 1), np.abs(other - extent) / unit)
    worst = int(np.nanargmax(errors))
    return float(errors[worst]), worst - 1


def runs(
    values: np.ndarray, texts: Sequence[str | None], least: float, where: Sequence[bool], both: Sequence[bool]
) -> list[Disagreement]:
    """Return the intervals of values over which something differs, but not those shorter than `least`.

    One that is shorter counts where it holds everywhere that there is anything to compare (`where`), unless it is at an
    end of the range and one of the two has nothing there (`both`): what that one has may begin just outside.
    """
    found = []
    bad = np.array([text is not None for text in texts])
    everywhere = bool(bad.any()) and bool(bad[np.array(where)].all())
    edges = np.flatnonzero(np.diff(np.concatenate([[False], bad, [False]]).astype(int)))
    for start, end in zip(edges[::2], edges[1::2]):
        low, high = values[start], values[end - 1]
        cut = (start == 0 or end == len(values)) and not np.array(both)[start:end].any()
        if high - low > least or (everywhere and not cut):
            found.append(Disagreement(float(low), float(high), str(texts[(start + end - 1) // 2])))
    return found
