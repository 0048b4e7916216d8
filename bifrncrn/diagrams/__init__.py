"""What users ask for: branches, orbits and loci of one model, as results."""
