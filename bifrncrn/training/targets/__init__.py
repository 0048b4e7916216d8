"""What a network is to learn: fields, curves, and the behaviours wanted."""
