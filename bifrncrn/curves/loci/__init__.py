"""Folds and Hopf points in two parameters."""
