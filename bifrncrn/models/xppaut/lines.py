"""The lines of an XPPAUT file: continued, expanded over arrays, each with its number; and what kind a line is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bifrncrn.base.errors import InputError

MAX_LINES = 200_000
_RANGE = re.compile(r"\[\s*(-?\d+)\s*\.\.\s*(-?\d+)\s*\]")
_INDEX = re.compile(r"\[\s*j\s*(?:([-+*])\s*(\d+)\s*)?\]", re.IGNORECASE)
_NAMED_INDEX = re.compile(r"(\w)\[\s*(\d+)\s*\]")
_EQUATION = re.compile(r"'\s*=|/\s*dt\s*=", re.IGNORECASE)
"""What makes a state of a line although it begins with %; anything else there is a name that nothing uses."""
END = ("d", "done")


@dataclass(frozen=True)
class Line:
    """A line as it counts, and where it begins in the file."""

    number: int
    text: str


def at(number: int, problem: str) -> InputError:
    """Return an error that names the line."""
    return InputError(f"line {number}: {problem}")


def logical(text: str) -> Iterator[Line]:
    """Yield the lines up to the end, comments and empty ones left out, continued ones joined, arrays expanded."""
    block: list[Line] | None = None
    head = Line(0, "")
    count = 0
    for line in _joined(text):
        if line.text.lower() in END:
            break
        if line.text.startswith("%"):
            rest = line.text[1:].strip()
            found = _RANGE.match(rest)
            if found:
                head, block = Line(line.number, rest), []
            elif _EQUATION.search(rest):
                raise at(
                    line.number,
                    f"'{line.text[:40]}' is no comment to XPPAUT, which knows #; put # in front, or take % off",
                )
            elif block is not None:
                for j in _span(head):
                    for inner in block:
                        yield Line(inner.number, indexed(inner, j))
                block = None
            continue
        count += 1
        if count > MAX_LINES:
            raise at(line.number, f"the file has more than {MAX_LINES} lines")
        if block is not None:
            block.append(line)
        else:
            yield from expanded(line)
    if block is not None:
        raise at(head.number, "the loop that begins with % is never closed by a line %")


def _joined(text: str) -> Iterator[Line]:
    """Yield lines that hold something, each joined with the next as long as it has a backslash."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    row = 0
    while row < len(lines):
        number, line = row + 1, lines[row].strip()
        row += 1
        if line.startswith(("#", '"')):
            if "\\" in line and number > 1 and row < len(lines) and _matters(lines[row]):
                raise at(row + 1, "a backslash in the comment before makes this line a part of it; take it out there")
            continue
        while "\\" in line:
            line = line[: line.index("\\")].rstrip() + " " + (lines[row].strip() if row < len(lines) else "")
            row += 1
        if line.strip():
            yield Line(number, line.strip())


def _matters(line: str) -> bool:
    return bool(line.strip()) and not line.strip().startswith(("#", '"'))


def _span(line: Line) -> range:
    found = _RANGE.search(line.text)
    assert found is not None
    first, last = int(found[1]), int(found[2])
    if not 0 <= last - first <= 10_000:
        raise at(line.number, f"the range [{first}..{last}] must go up, by at most 10000")
    return range(first, last + 1)


def expanded(line: Line) -> list[Line]:
    """Return a line once for each number of the range in it."""
    if not _RANGE.search(line.text):
        return [Line(line.number, named(line.text))]
    words = line.text.split(None, 1)
    if len(words) == 2 and re.fullmatch(r"[A-Za-z]+", words[0]) and "=" in words[1] and words[0].lower() != "aux":
        return [Line(line.number, f"{words[0]} {item}") for item in _items(line, words[1])]
    return [Line(line.number, indexed(Line(line.number, _RANGE.sub(f"[{j}]", line.text)), j)) for j in _span(line)]


def _items(line: Line, text: str) -> list[str]:
    """Return the entries of a list of values; those with a range, or with [j] behind one, expanded."""
    found, last = [], _span(line)
    for item in re.findall(r"[^\s,=]+(?:\s*=\s*[^\s,]*)?", text):
        if _RANGE.search(item):
            last = _span(Line(line.number, item))
        if _RANGE.search(item) or _INDEX.search(item):
            found += [indexed(Line(line.number, _RANGE.sub(f"[{j}]", item)), j) for j in last]
        else:
            found.append(named(item))
    return found


def indexed(line: Line, j: int) -> str:
    """Return a text with j put in: x[j-1] is a name, [j] alone a number."""

    def number(match: re.Match[str]) -> str:
        k = int(match[2] or 0)
        value = {"-": j - k, "+": j + k, "*": j * k}[match[1] or "+"]
        after_name = match.start() > 0 and (
            match.string[match.start() - 1].isalnum() or match.string[match.start() - 1] == "_"
        )
        if value < 0 and after_name:
            raise at(
                line.number, f"{match.group()} is {value} for j = {j}, and XPPAUT would subtract it; mend the range"
            )
        return f"[{value}]" if after_name else (str(value) if value >= 0 else f"({value})")

    return named(_INDEX.sub(number, line.text))


def named(text: str) -> str:
    """Return a text with x[3] written as the name x3, and a lone [3] as the number."""
    before = None
    while before != text:
        before, text = text, _NAMED_INDEX.sub(r"\1\2", text)
    return re.sub(r"\[\s*(\d+)\s*\]", r"\1", text)
