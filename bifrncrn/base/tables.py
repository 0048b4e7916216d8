"""Plain text tables and numbers for people."""

import re
import sys
import textwrap
from collections.abc import Iterable, Sequence

WIDTH = 80
GAPS = re.compile(r"\S {2,}(?=\S)")
SHOWN = 90
"""Characters of a report's first line that `repr` shows."""


def format_number(value: float | None, digits: int = 10) -> str:
    """Return `value` with at most `digits` significant digits, `-` for None.

    >>> format_number(2.0), format_number(2.1436889037931), format_number(None)
    ('2', '2.143688904', '-')
    """
    return "-" if value is None else f"{value:.{digits}g}"


def without_rounding(value: float, width: float) -> float:
    """Return a number, or 0 where it is no more than the rounding of numbers that are as large as `width`.

    >>> without_rounding(-2.6e-20, 0.4), without_rounding(1e-9, 0.4)
    (0.0, 1e-09)
    """
    return 0.0 if abs(value) <= sys.float_info.epsilon * width else value


def format_complex(values: Iterable[complex], digits: int = 6) -> str:
    """Return eigenvalues or multipliers as text, a real one without an imaginary part.

    >>> format_complex([1.0, -0.5 + 2j])
    '1, -0.5+2i'
    """
    shown = [(complex(value).real, complex(value).imag) for value in values]
    return ", ".join(f"{a:.{digits}g}" + (f"{b:+.{digits}g}i" if b else "") for a, b in shown)


def format_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return the rows under their header, in columns aligned to the left.

    >>> print(format_table(["label", "lam"], [["HB", "2.14"], ["LP", "2"]]))
    label  lam
    HB     2.14
    LP     2
    """
    table = [list(header), *map(list, rows)]
    widths = [max(len(row[k]) for row in table) for k in range(len(header))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in table)


def printable(text: str) -> str:
    r"""Return `text` with every character that a terminal would obey, not show, written as its escape.

    >>> print(printable("tank \x1b[31m"))
    tank \x1b[31m
    """
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)


def csv_text(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    r"""Return the text of a CSV file; numbers are written with all their digits, what is no number as nothing.

    >>> csv_text(["t", "x"], [[0.5, float("nan")]])
    't,x\n0.5,\n'
    """
    import csv
    import io

    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(header)
    for row in rows:
        writer.writerow(["" if isinstance(cell, float) and cell != cell else cell for cell in row])
    return stream.getvalue()


def folded(text: str) -> str:
    """Return a report with lines of at most WIDTH columns; tables, whose columns are two blanks apart, stay.

    >>> print(folded("note: " + "word " * 18))
    note: word word word word word word word word word word word word word word word
        word word word
    """
    lines = []
    for line in text.split("\n"):
        if len(line) <= WIDTH or len(GAPS.findall(line)) > 1:
            lines.append(line)
        else:
            lines += textwrap.wrap(
                line, WIDTH, subsequent_indent="    ", break_on_hyphens=False, break_long_words=False
            )
    return "\n".join(lines)


class Reported:
    """What a person reads where the object is shown: `str()` in a notebook, too; `repr()` is its first line."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {str(self).splitlines()[0][:SHOWN]}>"

    def _repr_html_(self) -> str:
        from html import escape

        return f'<pre style="line-height: 1.25">{escape(str(self))}</pre>'
