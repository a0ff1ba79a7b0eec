"""A run, and what stands in its way."""
