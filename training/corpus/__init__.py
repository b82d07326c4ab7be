"""Music of our own making: a seeded composer and synthesiser whose every event lies on the codec's grid.

Equal events make equal frames, so a language model never meets phase as noise, and no recording of anybody is needed.
"""
