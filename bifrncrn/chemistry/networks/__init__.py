"""Recurrent neural chemical reaction networks: their systems, files and training."""
