#!/usr/bin/env bash
# Everything there is to know about a GPU, in one command of less than nine minutes: is it right, then how fast is it.
#
#   OUT=DIR benchmarks/gpu.sh            # KHALA_DEVICE=cpu KHALA_SHAPE=demo: a dry run of the same steps
#
# Needs what a stock PyTorch image has: Python, NumPy, PyTorch. Random weights of the published size are made on the
# device.
set -uo pipefail
device=${KHALA_DEVICE:-cuda}
shape=${KHALA_SHAPE:-published}
source "$(dirname "${BASH_SOURCE[0]}")/measure.sh"

if [ "$shape" = published ]; then
    check=(--shape medium)
    contexts=(--contexts 1024 8192 16384)
    songs=(--seconds 30 60 180 360 --layers 8)
    whole=(--random published --seconds 60)
    long=(--random published --seconds 180)
else
    check=(--shape demo --frames 8)
    contexts=(--contexts 64 --steps 2)
    songs=(--seconds 2 --layers 1)
    whole=(--random "$shape" --seconds 0.3)
    long=("${whole[@]}")
fi
measure check 120 benchmarks.check_device "${check[@]}"
measure decode 120 benchmarks.decode --shape "$shape" --batches 1 2 8 "${contexts[@]}" --without megatron
measure superres 110 benchmarks.superres --shape "$shape" "${songs[@]}"
measure song-1-track 45 benchmarks.end_to_end "${whole[@]}" --tracks 1
measure song-2-tracks 45 benchmarks.end_to_end "${whole[@]}" --tracks 2
measure song-3-minutes 90 benchmarks.end_to_end "${long[@]}" --tracks 2
finish
