#!/usr/bin/env bash
# Everything there is to know about a GPU, in one command of less than nine minutes: is it right, then how fast is it.
#
#   OUT=DIR benchmarks/gpu.sh            # KHALA_DEVICE=cpu KHALA_SHAPE=demo: a dry run of the same steps
#
# Needs what a stock PyTorch image has: Python, NumPy, PyTorch. Random weights of the published size are made on the
# device. Each step writes a log and, as its last line, JSON into OUT/*.json; a step that fails does not stop the others.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

out=${OUT:?name a directory for the results: OUT=DIR benchmarks/gpu.sh}
device=${KHALA_DEVICE:-cuda}
shape=${KHALA_SHAPE:-published}
python=${PYTHON:-python}
failed=0
mkdir -p "$out"

measure() { # name, limit in seconds, module and arguments
    local name=$1 limit=$2
    shift 2
    echo "== $name"
    rm -f "$out/$name.json"
    timeout "$limit" "$python" -m "$@" --device "$device" 2>"$out/$name.err" | tee "$out/$name.log"
    local status=$?
    tail -n 1 "$out/$name.log" | grep '^{' >"$out/$name.json"
    if [ "$status" -ne 0 ]; then
        echo "$name failed: see $name.err"
        tail -n 5 "$out/$name.err"
        failed=1
    fi
}

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
measure check 60 benchmarks.check_device "${check[@]}"
measure decode 120 benchmarks.decode --shape "$shape" --batches 1 2 8 "${contexts[@]}"
measure superres 120 benchmarks.superres --shape "$shape" "${songs[@]}"
measure song 60 benchmarks.end_to_end "${whole[@]}"
measure long-song 90 benchmarks.end_to_end "${long[@]}"
measure one-track 60 benchmarks.end_to_end "${whole[@]}" --tracks 1
"$python" -m benchmarks.gpu_table "$out" | tee "$out/table.txt"
exit "$failed"
