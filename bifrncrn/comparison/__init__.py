"""Whether two diagrams tell the same story."""
