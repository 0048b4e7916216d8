"""Moves a fitted network until its special points and attractors are the target's."""
