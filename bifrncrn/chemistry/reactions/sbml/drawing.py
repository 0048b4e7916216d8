"""SBML documents without how their networks are drawn."""

import re

DRAWN = (
    r"http://(?:www\.sbml\.org/sbml/level3/version\d+/(?:layout|render)/version\d+|projects\.eml\.org/bcb/sbml/[^\"']*)"
)
"""The namespaces of the packages layout and render, and of the annotations that came before them."""
_DECLARED = re.compile(rf"""\sxmlns:([\w.-]+)\s*=\s*(["']){DRAWN}\2""")
_LISTS = re.compile(
    r"<(?P<tag>(?:[\w.-]+:)?listOf(?:Layouts|RenderInformation|GlobalRenderInformation))\b"
    r"(?:[^>]*/>|.*?</(?P=tag)\s*>)",
    re.DOTALL,
)


def without_drawing(text: str) -> str:
    """Return a document without the namespaces, attributes and elements of layout and render, on the same lines."""
    text = _LISTS.sub(_lines, text)
    prefixes = {found[1] for found in _DECLARED.finditer(text)}
    text = _DECLARED.sub(_lines, text)
    for prefix in map(re.escape, sorted(prefixes)):
        element = rf"<(?P<tag>{prefix}:[\w.-]+)\b(?:[^>]*/>|.*?</(?P=tag)\s*>)"
        text = re.sub(element, _lines, text, flags=re.DOTALL)
        text = re.sub(rf"""\s{prefix}:[\w.-]+\s*=\s*(?:"[^"]*"|'[^']*')""", _lines, text)
    return text


def _lines(found: re.Match[str]) -> str:
    return "\n" * found[0].count("\n")
