"""The gallery: its entries, their pictures (`python docs/gallery.py`), and the page that shows them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
FIELDS = ("Neurons", "Ecology and epidemics", "Chemistry", "Genes and cells", "Lasers, fluids, climate, mechanics")


@dataclass(frozen=True)
class Entry:
    """A model of the gallery.

    Attributes
    ----------
    name : str
        Of its file.
    field : int
        Place in FIELDS.
    words : str
        What is seen.
    parameter : str
    low, high : float
    flags : str
        Further options of `bifrncrn diagram`.
    known : tuple of (str, float)
        Special points that are known otherwise: label and parameter value, to the digits in `digits`.
    source : str
        Where from.
    digits : float
        The error of `known`.
    show : str
        What is on the vertical axis.
    """

    name: str
    field: int
    words: str
    parameter: str
    low: float
    high: float
    flags: str
    known: tuple[tuple[str, float], ...]
    source: str
    digits: float = 1e-9
    show: str = ""

    @property
    def command(self) -> str:
        """The command that draws it."""
        words = [
            "bifrncrn diagram",
            f"{self.name}.toml --parameter {self.parameter} --range {self.low:g} {self.high:g}",
        ]
        return " ".join([*words, *([self.flags] if self.flags else [])])


def _fitzhugh() -> tuple[tuple[str, float], ...]:
    roots = [sign * math.sqrt(1 - 0.08 * 0.8) for sign in (-1, 1)]
    return tuple(("HB", (v + 0.7) / 0.8 - v + v**3 / 3) for v in roots)


def _budworm() -> tuple[tuple[str, float], ...]:
    """Folds: r = 2 x^3/(1 + x^2)^2 and q = 2 x^3/(x^2 - 1) = 10."""
    found = []
    for low, high in ((1.01, 2.0), (2.0, 20.0)):
        sign = 1.0 if low < 2 else -1.0
        for _ in range(200):
            middle = 0.5 * (low + high)
            low, high = (middle, high) if sign * (2 * middle**3 / (middle**2 - 1) - 10) > 0 else (low, middle)
        found.append(("LP", 2 * low**3 / (1 + low**2) ** 2))
    return tuple(found)


ENTRIES = (
    Entry(
        "fitzhugh_nagumo", 0, "Rest, repetitive firing between two Hopf points, and block of firing. Both are "
        "subcritical: firing begins with its full amplitude, a little before rest is lost.",
        "I", 0, 2, "--orbits", _fitzhugh(), "closed form: v^2 = 1 - eps b",
    ),
    Entry(
        "morris_lecar", 0, "Firing of type II: it sets in at a non-zero frequency, at a subcritical Hopf point.",
        "I", 0, 250, "--orbits", (("HB", 93.86), ("HB", 212.0)),
        "Rinzel and Ermentrout, in Methods in Neuronal Modeling (1989)", 0.05,
    ),
    Entry(
        "hodgkin_huxley", 0, "The squid's axon: near 8 microamperes repetitive firing coexists with rest, which is "
        "lost at the first Hopf point.",
        "I", 0, 170, "--orbits", (("HB", 9.78), ("HB", 154.5)), "Rinzel and Miller, Math. Biosci. 49 (1980) 27", 0.05,
    ),
    Entry(
        "rosenzweig_macarthur", 1, "The paradox of enrichment: more food for the prey (K) makes both oscillate.",
        "K", 0.5, 6, "--orbits", (("BP", 1.0), ("HB", 3.0)), "closed form",
    ),
    Entry(
        "budworm", 1, "Outbreak and collapse: two folds, and three equilibria between.",
        "r", 0.05, 1, "", _budworm(), "closed form",
    ),
    Entry(
        "epidemic", 1, "An epidemic is possible where each case infects more than one other: a transcritical point.",
        "beta", 0.5, 4, "", (("BP", 1.0),), "closed form: beta = gamma + mu",
    ),
    Entry(
        "brusselator", 2, "The textbook's supercritical Hopf point.",
        "B", 0.5, 4, "--orbits", (("HB", 2.0),), "closed form: B = 1 + A^2",
    ),
    Entry(
        "oregonator", 2, "The Belousov-Zhabotinsky reaction: a window of relaxation oscillations.",
        "f", 0.2, 3, "--orbits", (), "",
    ),
    Entry(
        "selkov", 2, "Glycolysis oscillates between two rates of supply.",
        "b", 0.2, 1.2, "--orbits",
        (("HB", math.sqrt((1 - 0.16 - 0.6) / 2)), ("HB", math.sqrt((1 - 0.16 + 0.6) / 2))),
        "closed form: b^2 = (1 - 2a +- sqrt(1 - 8a))/2",
    ),
    Entry(
        "stirred_tank", 2, "Ignition and extinction, and oscillations that end at a homoclinic orbit.",
        "D", 0, 0.16, "--orbits", (("LP", 0.10573897827), ("LP", 0.08893184619), ("HB", 0.13090004482)),
        "Uppal, Ray and Poore, Chem. Eng. Sci. 29 (1974) 967; folds in closed form",
    ),
    Entry(
        "co_oxidation", 2, "Two folds and two Hopf points within one per cent of the parameter, and cycles between.",
        "q2", 1.02, 1.08, "--orbits", (("HB", 1.040991), ("LP", 1.042049), ("HB", 1.051558)),
        "model of Bykov, Yablonskii and Kim (1978); values as printed in MatCont's examples", 1e-6,
    ),
    Entry(
        "gray_scott", 2, "An isola: the reacting state exists between two folds and hangs together with nothing "
        "else, so it takes `--all` to find it.",
        "F", 0.01, 0.16, "--all --box u=0:1,v=0:1",
        (("LP", (0.6 - math.sqrt(0.2)) / 8), ("LP", (0.6 + math.sqrt(0.2)) / 8)), "closed form: F = 4 (F + k)^2",
        show="v",
    ),
    Entry(
        "toggle_switch", 3, "Two genes that repress each other: symmetric, then one of two, from a pitchfork on.",
        "a", 0.5, 5, "", (("BP", 2.0),), "closed form",
    ),
    Entry(
        "repressilator", 3, "Three genes in a ring oscillate when they are expressed strongly enough.",
        "a", 0.6, 8, "--orbits", (("HB", 3 * 2 ** (1 / 3)),), "closed form: a = 3 x at x^3 = 2",
    ),
    Entry(
        "gene_autoactivation", 3, "A gene that stays on once it was on: it is lost at a fold.",
        "a", 0.1, 1, "--all --box x=0:10,y=0:2", (("LP", 0.5),), "closed form: a b = 1/2 (Griffith 1968)",
    ),
    Entry(
        "cell_cycle", 3, "Arrest, spontaneous cycles, and arrest again, as a rate of degradation grows.",
        "k6", 0.3, 4, "--orbits", (), "", show="u",
    ),
    Entry(
        "laser", 4, "Light above a threshold of pumping.",
        "pump", 0.5, 5, "", (("BP", 2.0),), "closed form: pump = k f/G",
    ),
    Entry(
        "lorenz", 4, "Convection sets in at a pitchfork; steady convection is lost at a subcritical Hopf point, "
        "beyond which there is chaos.",
        "rho", 0.5, 30, "--orbits", (("BP", 1.0), ("HB", 470 / 19), ("HB", 470 / 19)), "closed form",
    ),
    Entry(
        "rossler", 4, "The first steps of a period-doubling cascade, each branch followed in turn.",
        "c", 2, 4.4, "--cycle --doublings 2", (("PD", 2.832), ("PD", 3.837)),
        "the literature's 2.83 and 3.84", 0.005, "max x",
    ),
    Entry(
        "stommel", 4, "Two circulations of the ocean. One end of the unstable branch is a fold; at the other the flow "
        "reverses, where the model has a corner (BC).",
        "F", -0.1, 0.35, "", (("LP", 0.25), ("BC", 0.0)), "closed form: S = 1/2, S = 1",
    ),
    Entry(
        "ice_albedo", 4, "A planet with ice and one without, at the same radiation.",
        "Q", 180, 420, "", (), "",
    ),
    Entry(
        "pendulum", 4, "The pendulum stays inclined up to a torque of one; beyond, it can only turn.",
        "I", 0, 1.2, "", (("LP", 1.0),), "closed form",
    ),
)  # fmt: skip


def page() -> str:
    """Return the text of the page."""
    lines = [
        "# Gallery",
        "",
        f"{len(ENTRIES)} classics, each with its model file, the command that computes it, and what is known of it "
        "otherwise. The commands run as they stand, with the model file in the current folder; all points given here "
        "are checked by the tests.",
        "",
        "<!-- written by docs/gallery.py -->",
    ]
    for k, field in enumerate(FIELDS):
        lines += ["", f"## {field}"]
        for entry in ENTRIES:
            if entry.field == k:
                lines += _section(entry)
    return "\n".join(lines) + "\n"


def _section(entry: Entry) -> list[str]:
    title = (HERE / "gallery" / f"{entry.name}.toml").read_text(encoding="utf-8").split('"')[1]
    points = ", ".join(f"{label} at {entry.parameter} = {value:.8g}" for label, value in entry.known)
    known = [f"Known: {points} ({entry.source}).", ""] if points else []
    return [
        "", f"### {title}", "", entry.words, "", f"![{title}](pictures/gallery/{entry.name}.png)", "", *known,
        "```bash", f"{entry.command} --plot {entry.name}.png", "```", "",
        "<details><summary>the model file</summary>", "", f"```{{literalinclude}} gallery/{entry.name}.toml",
        ":language: toml", "```", "", "</details>",
    ]  # fmt: skip


def main() -> None:
    """Draw all pictures and write the page."""
    import sys

    import bifrncrn as bf

    folder = HERE / "pictures" / "gallery"
    folder.mkdir(parents=True, exist_ok=True)
    wanted = sys.argv[1:]
    for entry in ENTRIES:
        if wanted and entry.name not in wanted:
            continue
        show = ["--show", entry.show] if entry.show else []
        model = str(HERE / "gallery" / f"{entry.name}.toml")
        words = [*entry.command.split()[1:], *show, "--plot", str(folder / f"{entry.name}.png")]
        words[1] = model
        assert bf.main(words) == 0, entry.name
    (HERE / "gallery.md").write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
