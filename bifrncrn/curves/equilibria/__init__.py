"""Equilibria as a curve."""
