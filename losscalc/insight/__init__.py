"""Explains the value of a loss, and why another number differs from it."""
