"""Results on their way out: bytes, text and tables."""
