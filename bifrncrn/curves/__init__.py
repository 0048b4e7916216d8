"""What kind of branch: equations, Jacobian, spectrum, and how it starts."""
