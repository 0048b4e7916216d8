"""SBML and Antimony, read and written."""
