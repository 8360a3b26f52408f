"""Cuts arrays into blocks, computes them anywhere, and merges what they come to."""
