"""Measurements, run by hand: each script prints what it does and ends with one line of JSON."""
