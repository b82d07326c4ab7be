"""The decoder-only transformer both models share, one concept a file."""
