"""Labels of special points and kinds of curves: what is known about them stands here alone.

Who locates a point, draws it, puts it into words, compares it or starts something from it asks this table. To find the
points of a label is the business of the kind of curve they lie on.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Label:
    """What a label means.

    Attributes
    ----------
    name : str
        The label itself.
    meaning : str
        In words.
    on : tuple of str
        The kinds of curves its points lie on.
    test : str
        What vanishes there.
    condition : str
        What must not vanish there too, or else it is another point; empty where there is nothing.
    marker : str
        The marker of matplotlib it is drawn with; empty where it is not drawn.
    locus : str
        The kind of curve in two parameters that goes through its points; empty where none is followed.
    switches : bool
        Whether another branch of the same kind of curve leaves there.
    judged : bool
        Whether it is a property of the system: ends of branches and what the user asked for are none.
    """

    name: str
    meaning: str
    on: tuple[str, ...]
    test: str
    condition: str = ""
    marker: str = ""
    locus: str = ""
    switches: bool = False
    judged: bool = True


@dataclass(frozen=True)
class Kind:
    """What a kind of curve is.

    Attributes
    ----------
    name : str
    meaning : str
        In words, of one of its points.
    parameters : int
        How many parameters vary along it.
    cycles : bool
        Whether its points are periodic orbits, which have multipliers, and a lowest and a highest value of each state.
    discrete : bool
        Whether its points are fixed points of a map, which have multipliers too.
    """

    name: str
    meaning: str
    parameters: int = 1
    cycles: bool = False
    discrete: bool = False

    @property
    def multipliers(self) -> bool:
        """Whether stability is that of multipliers, not of eigenvalues."""
        return self.cycles or self.discrete


_KINDS = (
    Kind("equilibrium", "equilibrium"),
    Kind("periodic", "periodic orbit", cycles=True),
    Kind("fixed_point", "fixed point of a map", discrete=True),
    Kind("homoclinic", "homoclinic orbit", 2),
    Kind("heteroclinic", "heteroclinic orbit", 2),
    Kind("snic", "saddle-node on a circle (SNIC)", 2),
    Kind("fold", "fold (LP)", 2),
    Kind("hopf", "Hopf point (HB)", 2),
    Kind("branch_point", "branch point (BP)", 2),
    Kind("fold_of_cycles", "fold of cycles (LPC)", 2, cycles=True),
    Kind("period_doubling", "period doubling (PD)", 2, cycles=True),
    Kind("fixed_period", "cycles of one period", 2, cycles=True),
    Kind("branch_point_of_cycles", "branch point of cycles (BPC)", 2, cycles=True),
    Kind("torus", "torus bifurcation (NS)", 2, cycles=True),
    Kind("map_fold", "fold of a map (LP)", 2, discrete=True),
    Kind("map_doubling", "period doubling of a map (PD)", 2, discrete=True),
    Kind("map_torus", "Neimark-Sacker points of a map (NS)", 2, discrete=True),
)
KINDS = {kind.name: kind for kind in _KINDS}
"""The kinds of curves, by name."""

_FOLDS, _DOUBLINGS, _TORI = "fold_of_cycles", "period_doubling", "torus"
_REST, _CYCLE, _MAP, _FOLD, _HOPF = ("equilibrium",), ("periodic",), ("fixed_point",), ("fold",), ("hopf",)
_LOOP = ("homoclinic",)
_MAP_FOLD, _MAP_DOUBLING, _MAP_TORUS = "map_fold", "map_doubling", "map_torus"
_LABELS = (
    Label("EP", "end point", tuple(KINDS), "", judged=False),
    Label(
        "UZ", "user event", ("equilibrium", "periodic", "fixed_point"), "what the user gave", marker="*", judged=False
    ),
    Label(
        "LP", "fold", (*_REST, *_MAP), "the parameter's part of the tangent", "the quadratic coefficient a", "s", "fold"
    ),
    Label("BP", "branch point", (*_REST, *_MAP), "det [F_y; tangent]", "the tangents' angle", "D", switches=True),
    Label("HB", "Hopf point", _REST, "the real part of an imaginary pair", "its speed; l1", "o", "hopf"),
    Label(
        "BC", "border collision", (*_REST, *_MAP), "the expression at whose zero the model is not smooth", marker="8"
    ),
    Label("LPC", "fold of cycles", _CYCLE, "the parameter's part of the tangent", "a", "p", _FOLDS),
    Label(
        "PD",
        "period doubling",
        (*_CYCLE, *_MAP),
        "a multiplier plus one",
        "its speed; b",
        "v",
        _DOUBLINGS,
        switches=True,
    ),
    Label(
        "NS",
        "Neimark-Sacker point",
        (*_CYCLE, *_MAP),
        "the modulus of a pair, less one",
        "strong resonance",
        "h",
        _TORI,
    ),
    Label(
        "BPC",
        "branch point of cycles",
        _CYCLE,
        "the bordered determinant",
        "the tangents' angle",
        "d",
        "branch_point_of_cycles",
        switches=True,
    ),
    Label("CP", "cusp", (*_FOLD, _MAP_FOLD), "the quadratic coefficient a", "the cubic coefficient c", "^"),
    Label("BT", "Bogdanov-Takens point", (*_FOLD, *_HOPF), "<p, q>; on Hopf curves omega", "a and b", "P"),
    Label("GH", "Bautin point", (*_HOPF, _FOLDS), "l1; on folds of cycles their size", "l2", "X"),
    Label("ZH", "zero-Hopf point", (*_FOLD, *_HOPF), "a second critical eigenvalue or pair", marker="<"),
    Label("HH", "double Hopf point", _HOPF, "a second pair's real part", marker=">"),
    Label("CPC", "cusp of cycles", (_FOLDS,), "the coefficient a of the fold", marker="H"),
    Label(
        "GPD",
        "generalised period doubling",
        (_DOUBLINGS, _MAP_DOUBLING),
        "the coefficient b of the doubling",
        marker="1",
    ),
    Label("CH", "Chenciner point", (_TORI, _MAP_TORUS), "the real part of the torus's coefficient", marker="2"),
    Label(
        "R1",
        "1:1 resonance",
        (_FOLDS, _TORI, _MAP_FOLD, _MAP_TORUS),
        "a third multiplier less one (of a map a second); the angle",
        marker="$1$",
    ),
    Label(
        "R2",
        "1:2 resonance",
        (_DOUBLINGS, _TORI, _MAP_DOUBLING, _MAP_TORUS),
        "a second multiplier plus one; the angle less pi",
        marker="$2$",
    ),
    Label("R3", "1:3 resonance", (_TORI, _MAP_TORUS), "the angle less 2 pi / 3", marker="$3$"),
    Label("R4", "1:4 resonance", (_TORI, _MAP_TORUS), "the angle less pi / 2", marker="$4$"),
    Label(
        "LPPD",
        "fold and period doubling",
        (_FOLDS, _DOUBLINGS, _MAP_FOLD, _MAP_DOUBLING),
        "the other's multiplier",
        marker="3",
    ),
    Label("LPNS", "fold and torus", (_FOLDS, _TORI, _MAP_FOLD, _MAP_TORUS), "the other's multiplier", marker="4"),
    Label(
        "PDNS",
        "period doubling and torus",
        (_DOUBLINGS, _TORI, _MAP_DOUBLING, _MAP_TORUS),
        "the other's multiplier",
        marker="+",
    ),
    Label("NSNS", "two tori", (_TORI, _MAP_TORUS), "the modulus of a second pair, less one", marker="x"),
    Label(
        "NCH",
        "non-central saddle-node homoclinic",
        (*_LOOP, "snic"),
        "a real leading eigenvalue; where the trajectory that leaves the saddle-node comes back along the centre",
        marker="$C$",
    ),
    Label("SH", "Shilnikov-Hopf point", _LOOP, "the real part of a leading pair", marker="$H$"),
    Label("NSS", "neutral saddle", _LOOP, "the sum of the leading real parts on both sides", marker="|"),
    Label(
        "NDS", "saddle-focus of no divergence", _LOOP, "the stable pair and one unstable value: their sum", marker="."
    ),
    Label(
        "NDU", "saddle-focus of no divergence", _LOOP, "the unstable pair and one stable value: their sum", marker="$N$"
    ),
    Label("DRS", "saddle to saddle-focus", _LOOP, "the difference of both leading stable eigenvalues", marker="_"),
    Label("DRU", "saddle to saddle-focus", _LOOP, "the difference of both leading unstable eigenvalues", marker="$D$"),
    Label("OFS", "orbit flip", _LOOP, "the orbit's share in the leading stable direction", marker="$O$"),
    Label("OFU", "orbit flip", _LOOP, "the orbit's share in the leading unstable direction", marker="$U$"),
    Label("IFS", "inclination flip", _LOOP, "the adjoint's share in the leading stable direction", marker="$I$"),
    Label("IFU", "inclination flip", _LOOP, "the adjoint's share in the leading unstable direction", marker="$J$"),
)
LABELS = {label.name: label for label in _LABELS}
"""The labels, by name."""


def meaning(label: str) -> str:
    """Return a label in words, empty for one that is not known."""
    return LABELS[label].meaning if label in LABELS else ""


def is_shown(label: str) -> bool:
    """Say whether points of a label are drawn and listed."""
    return label not in LABELS or bool(LABELS[label].marker)


def locus_of(label: str) -> str:
    """Return the kind of curve in two parameters that goes through points of a label, empty where there is none."""
    return LABELS[label].locus if label in LABELS else ""


def map_locus_of(label: str) -> str:
    """Return the same of a map."""
    return {"LP": _MAP_FOLD, "PD": _MAP_DOUBLING, "NS": _MAP_TORUS}.get(label, "")


def is_judged(label: str) -> bool:
    """Say whether a label is that of a bifurcation, or of any other property of the system."""
    return label not in LABELS or LABELS[label].judged


def leaving(kind: str) -> tuple[str, ...]:
    """Return the labels on a kind of curve at which another branch of that kind leaves."""
    return tuple(label.name for label in _LABELS if kind in label.on and label.switches)
