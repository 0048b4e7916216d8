"""The engine against an independent march, scipy's root finder and numpy's eigenvalues, on systems made at random."""

import hunt
import pytest


def clean(tally):
    """Assert that a hunt found nothing, and that it had something to look at."""
    assert tally.complaints == []
    assert tally.systems > tally.skipped
    assert tally.special > 0


def test_random_networks_quickly():
    clean(hunt.hunt_networks(range(10_000, 10_008), 2.0))


def test_random_ecologies_quickly():
    clean(hunt.hunt_ecologies(range(1000, 1012)))


@pytest.mark.parametrize("seed", [124, 169])
def test_networks_that_were_wrong_once(seed):
    """A Hopf point beside a fold (124); a start exactly on a Hopf point (169)."""
    clean(hunt.hunt_networks(range(seed, seed + 1)))


@pytest.mark.parametrize("seed", [1012, 1107])
def test_hopf_points_beside_folds(seed):
    clean(hunt.hunt_networks(range(seed, seed + 1), 4.0))


@pytest.mark.parametrize("seed", [4, 12, 18, 50, 53, 1149, 1513])
def test_ecologies_that_were_wrong_once(seed):
    clean(hunt.hunt_ecologies(range(seed, seed + 1)))


@pytest.mark.slow
@pytest.mark.parametrize("strength", [1.0, 2.0, 5.0])
def test_random_networks(strength):
    clean(hunt.hunt_networks(range(30_000, 30_150), strength))


@pytest.mark.slow
def test_random_ecologies():
    clean(hunt.hunt_ecologies(range(1000, 1200)))


@pytest.mark.slow
def test_random_polynomials():
    clean(hunt.hunt_polynomials(range(100, 160)))
