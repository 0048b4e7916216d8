"""Algebraic rules as assignments: each is solved for the one quantity it determines."""

from __future__ import annotations

from collections.abc import Mapping

from bifrncrn.chemistry.reactions.sbml.content import Content
from bifrncrn.chemistry.reactions.sbml.formula import Formula, apply, linear_in, names_in, number, substitute


def solved(content: Content, changed: set[str]) -> dict[str, Formula]:
    """Return what the algebraic rules say, as a formula for each quantity they determine.

    Parameters
    ----------
    changed : set of str
        What rules, reactions and events determine already.

    Raises
    ------
    InputError
        If a rule leaves open what it determines, or is not linear in it.
    """
    unknown = _free(content) - changed
    rules = [_flat(rule, content.assigned) for rule in content.algebraic]
    found: dict[str, Formula] = {}
    while rules:
        rules.sort(key=lambda rule: len(names_in(rule) & unknown))
        rule = rules.pop(0)
        name, value = _solution(content, rule, sorted(names_in(rule) & unknown))
        unknown.discard(name)
        found = {key: substitute(formula, {name: value}) for key, formula in found.items()}
        rules = [substitute(other, {name: value}) for other in rules]
        found[name] = value
    return found


def _free(content: Content) -> set[str]:
    """Return what may change at all."""
    listed = (content.species, content.parameters, content.compartments)
    free = {key for group in listed for key, entry in group.items() if not entry.constant}
    references = [ref for reaction in content.reactions for ref in (*reaction.reactants, *reaction.products)]
    return free | {ref.id for ref in references if ref.id and not ref.constant}


def _flat(rule: Formula, assigned: Mapping[str, Formula]) -> Formula:
    """Return a rule with assigned quantities replaced by what they are."""
    for _ in range(len(assigned) + 1):
        used = names_in(rule) & assigned.keys()
        if not used:
            break
        rule = substitute(rule, {name: assigned[name] for name in used})
    return rule


def _solution(content: Content, rule: Formula, candidates: list[str]) -> tuple[str, Formula]:
    if not candidates:
        raise content.error("an algebraic rule determines nothing that is not determined already; leave it out")
    for name in candidates:
        split = linear_in(rule, name)
        if split is not None and split[0] != number(0):
            return name, apply("divide", apply("minus", split[1]), split[0])
    listed = " or ".join(candidates)
    raise content.error(
        f"an algebraic rule determines {listed} but is not linear in it; solve it by hand and write an assignment rule"
    )
