"""The problems of the papers again: shipped networks, checked by code that shares nothing with the engine."""
