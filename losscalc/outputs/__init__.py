"""Writes results as bytes, text and tables."""
