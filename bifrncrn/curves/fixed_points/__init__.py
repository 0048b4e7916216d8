"""Fixed points of maps and of their iterates as a curve."""
