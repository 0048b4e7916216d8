"""XPPAUT's model files: read as XPPAUT means them, and written."""
