#!/usr/bin/env bash
# Train the demo checkpoint with the larger recipe on one GPU, in calls of at most nine minutes that resume.
#
#   OUT=DIR training/gpu.sh [SECONDS]     # again and again, until it says "done"
#
# Needs what a stock PyTorch image has: Python, NumPy, PyTorch. The work lies in checkpoints/training (KHALA_TRAINING
# names another place); the curves, and at the end the checkpoint in shards below 16 MB, are put into OUT.
# Where the shards have arrived:  cat DIR/checkpoint.tar.* | tar x -C WORK && python -m training.assemble WORK
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

out=${OUT:?name a directory for the results: OUT=DIR training/gpu.sh}
work=${KHALA_TRAINING:-checkpoints/training}
recipe=${KHALA_RECIPE:-gpu}
seconds=${1:-480}
time_is_over=75

mkdir -p "$out" "$work"
status=0
OMP_WAIT_POLICY=passive python -m training.demo "$work" --recipe "$recipe" --stop-after "$seconds" || status=$?
find "$work" -maxdepth 1 \( -name '*.csv' -o -name '*.json' \) -exec cp {} "$out" \;
if [ "$status" -eq "$time_is_over" ]; then
    echo "not done yet: call it again"
    exit 0
fi
[ "$status" -eq 0 ] || exit "$status"

rm -f "$out"/checkpoint.tar.*
tar c -C "$work" finished superresolution dac_rvq_2490000.ckpt \
    backbone.csv finish.csv superres.csv codec_quality.json |
    split --bytes=15000000 --numeric-suffixes - "$out/checkpoint.tar."
echo "done: $(find "$out" -name 'checkpoint.tar.*' | wc -l) shards in $out"
