"""A verification in words: one table, and what it means."""

from __future__ import annotations

from core.token_layout import COARSE_LAYERS
from models.verify.agreement import Agreement
from models.verify.verification import MEGATRON, Variant, Verification

SOUND_NATS = 0.01
"""Divergence, of any layer, below which nobody could tell which of two models drew a song."""

SAME_NATS = 0.01
"""Largest difference of a log-probability between two ways of computing the same thing in float32."""

LEAST_SERVED = 0.95
"""Share of greedy tokens that must agree: where two are almost equally likely, rounding decides."""

_SHOWN_LAYERS = (2, 3, 4, 8, 16, 32, 63)


def is_sound(found: Verification) -> bool:
    """Whether songs from the serving engine are as good as float32's."""
    serving = [variant for variant in found.variants if variant.name == found.serving]
    return (
        found.served_equal >= LEAST_SERVED
        and all(_worst_divergence(variant) < SOUND_NATS for variant in serving)
        and all(_worst(variant) < SAME_NATS for variant in found.variants if variant.name.startswith(MEGATRON))
    )


def report(found: Verification) -> str:
    """What ``verify`` prints."""
    lines = [
        f"{found.checkpoint}: {found.frames} frames of one fixed request, against float32 on the CPU.",
        f"Served as {found.serving}; the fc1 bias counts {found.fc1_bias}.",
        f"Tokens the serving engine chooses greedily that float32 chooses too: {found.served_equal:.1%}.",
    ]
    for variant in found.variants:
        lines += ["", *_variant(variant)]
    return "\n".join([*lines, "", _verdict(found)]) + "\n"


def _variant(variant: Variant) -> list[str]:
    agreement = variant.agreement
    shown = [layer for layer in _SHOWN_LAYERS if layer < COARSE_LAYERS + len(agreement.layers)]
    cells = [
        (f"layer {layer}", agreement.layers[layer - COARSE_LAYERS], agreement.chain_equal[layer - COARSE_LAYERS])
        for layer in shown
    ]
    chain = sum(agreement.chain_equal) / len(agreement.chain_equal)
    rows = [("backbone", agreement.backbone, None), *cells, ("all layers", Agreement.mean(agreement.layers), chain)]
    return [
        f"{variant.name}: its greedy song is {variant.audio_snr_db:.1f} dB from float32's.",
        f"  {'':<11}{'error':>10}{'worst':>10}{'divergence':>12}{'equal':>9}{'own chain':>11}",
        *(
            f"  {name:<11}{one.error:>10.2g}{one.worst:>10.2g}{one.divergence:>12.2g}{one.equal:>9.1%}"
            + (f"{equal:>11.1%}" if equal is not None else "")
            for name, one, equal in rows
        ),
    ]


def _verdict(found: Verification) -> str:
    if not is_sound(found):
        return (
            "Doubtful: the numbers that are served differ from float32's by more than rounding should. "
            "Try --dtype float32 --quantize none; if that is sound, this format is not fit for this checkpoint."
        )
    differs = any(variant.name == found.serving for variant in found.variants)
    return (
        "Sound: rounding makes other songs than float32 would, but none that are worse."
        if differs
        else "Sound: what is served is float32 itself."
    )


def _worst_divergence(variant: Variant) -> float:
    return max(one.divergence for one in (variant.agreement.backbone, *variant.agreement.layers))


def _worst(variant: Variant) -> float:
    return max(one.worst for one in (variant.agreement.backbone, *variant.agreement.layers))
