"""Periodic orbits by orthogonal collocation: represented, corrected, followed in a parameter, their events located."""
