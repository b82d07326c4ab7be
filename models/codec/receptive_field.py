"""Which inputs of a convolutional network an output depends on, read off its layers."""

from __future__ import annotations

from torch import nn


def required_input(network: nn.Module, outputs: range) -> range:
    """Positions of the input that the positions ``outputs`` of the output depend on.

    Positions before the start and behind the end stand for the network's own zero padding. The network's convolutions
    must follow each other in the order in which they are registered; an identity beside some of them adds nothing, as
    their padding keeps positions in place. Everything else in it works position by position.
    """
    start, stop = outputs.start, outputs.stop
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Conv1d | nn.ConvTranspose1d)]
    for layer in reversed(layers):
        stride, padding = layer.stride[0], int(layer.padding[0])
        reach = layer.dilation[0] * (layer.kernel_size[0] - 1)
        if isinstance(layer, nn.ConvTranspose1d):
            start = -((reach - padding - start) // stride)
            stop = (stop - 1 + padding) // stride + 1
        else:
            start = start * stride - padding
            stop = (stop - 1) * stride - padding + reach + 1
    return range(start, stop)
