"""From expressions to machine code behind addresses."""
