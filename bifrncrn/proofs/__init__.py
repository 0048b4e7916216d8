"""Proofs: what is known about a bifurcation diagram beyond any rounding error."""
