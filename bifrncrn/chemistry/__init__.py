"""Reaction networks: how they are written, read and simulated; recurrent neural ones among them."""
