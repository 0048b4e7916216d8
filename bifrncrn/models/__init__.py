"""What is analysed: systems of ordinary differential equations and where they come from."""
