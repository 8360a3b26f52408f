"""Why a loss is what it is, and why another number differs from it."""
