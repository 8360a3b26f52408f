"""Cuts arrays into blocks, computes them anywhere, and merges the results."""
