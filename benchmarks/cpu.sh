#!/usr/bin/env bash
# What a CPU without anything else to do reaches: the demo in the box, and 170 million random weights.
#
#   OUT=DIR benchmarks/cpu.sh            # with demo or medium behind it: one of the two
#                                        # KHALA_BRIEF=1: the same steps as short as they can be
#
# With the packages of requirements-dev.txt it races Hugging Face's Llama and megatron-core too.
set -uo pipefail
device=cpu
export OMP_WAIT_POLICY=passive # as the server runs
source "$(dirname "${BASH_SOURCE[0]}")/measure.sh"

if [ -z "${KHALA_BRIEF:-}" ]; then
    near=(--batches 1 2 8 --contexts 1024 8192)
    far=(--batches 1 2 --contexts 16384 --steps 4)
    songs=(--seconds 30 60 180 360)
    short=60 long=180
else
    near=(--batches 1 --contexts 64 --steps 2)
    far=("${near[@]}")
    songs=(--seconds 2)
    short=0.3 long=0.4
fi
[ "$#" -gt 0 ] || set -- demo medium
for shape in "$@"; do
    measure "decode-$shape" 1800 benchmarks.decode --shape "$shape" "${near[@]}"
    measure "decode-$shape-far" 1200 benchmarks.decode --shape "$shape" "${far[@]}"
    case $shape in
        medium) layers=2 lengths="$short" ;; # of 170 million weights a layer takes minutes, three minutes an hour
        *) layers=4 lengths="$short $long" ;;
    esac
    measure "superres-$shape" 1200 benchmarks.superres --shape "$shape" "${songs[@]}" --layers "$layers"
    for seconds in $lengths; do
        for tracks in 1 2; do
            measure "song-$shape-$seconds-$tracks" 1200 \
                benchmarks.end_to_end --random "$shape" --seconds "$seconds" --tracks "$tracks"
        done
    done
    case $shape in
        demo) measure song-as-served 300 benchmarks.end_to_end --checkpoints checkpoints/demo ;;
        medium) measure loading 300 benchmarks.loading --shape medium --cold ;;
    esac
done
finish
