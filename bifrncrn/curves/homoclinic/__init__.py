"""Homoclinic orbits in two parameters."""
