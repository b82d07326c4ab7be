"""The recipe of the demo checkpoint: corpus, codec, backbone, super-resolution, evaluation.

NumPy and PyTorch only, so that a stock PyTorch image can run it. Imports ``models`` and ``core``.
"""
