#!/usr/bin/env bash
# Is the megatron-core engine right on a GPU, and how fast does it decode beside ours. Two minutes at most.
#
#   OUT=DIR benchmarks/gpu_megatron.sh   # KHALA_DEVICE=cpu KHALA_SHAPE=demo: a dry run of the same steps
#
# Needs megatron-core beside what benchmarks/gpu.sh needs.
set -uo pipefail
device=${KHALA_DEVICE:-cuda}
shape=${KHALA_SHAPE:-published}
source "$(dirname "${BASH_SOURCE[0]}")/measure.sh"

if [ "$shape" = published ]; then
    check=(--shape medium)
    context=(--contexts 1024)
else
    check=(--shape demo --frames 8)
    context=(--contexts 64 --steps 2)
fi
measure check 60 benchmarks.check_megatron "${check[@]}"
measure decode 60 benchmarks.decode --shape "$shape" --batches 1 2 "${context[@]}" --without transformers
finish
