"""Decode steps on a CPU, compiled by Numba: weights in 16 bits or fewer, sums in float32, threads that wait by looking.

Everything a step does to a row is done the same whatever rows and threads there are, so a track's numbers depend on
neither. Legend: B tracks, N heads, G key/value groups, D head size, L layers.
"""
