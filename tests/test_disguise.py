"""Normal forms in disguise: fast unknowns, foreign units, mixed states, conserved sums (see `disguise`)."""

import itertools

import disguise
import pytest

KINDS = list(itertools.product(disguise.FORMS, disguise.DISGUISES))
HARD = [
    ("ring", 3032),
    ("two_modes", 3029),
    ("two_modes", 3094),
    ("two_modes", 3139),
    ("two_modes", 6033),
    ("ring", 7080),
]
"""Fast in units, of which driven states are 1e-16 and 1e14, the size of what drives them was not known, or all of an
equation is tiny."""


@pytest.mark.parametrize(("form", "kind"), KINDS)
def test_disguises_quickly(form, kind):
    assert disguise.hunt(form, kind, range(2)) == []


@pytest.mark.parametrize(("form", "seed"), HARD)
def test_driven_states_of_any_size(form, seed):
    assert disguise.hunt(form, "fast in units", range(seed, seed + 1)) == []


@pytest.mark.slow
@pytest.mark.parametrize(("form", "kind"), KINDS)
def test_disguises(form, kind):
    assert disguise.hunt(form, kind, range(1000, 1140)) == []
