"""Reactions and what is made of them: differential equations, texts, files, jumps."""
