# What the suites of measurements share; sourced by gpu.sh and cpu.sh once ``device`` is set.
#
# Each step leaves its log and, as JSON, its last line in OUT. A step that fails does not stop the others.
cd "$(dirname "${BASH_SOURCE[0]}")/.."
out=${OUT:?name a directory for the results: OUT=DIR $0}
python=${PYTHON:-python}
failed=0
mkdir -p "$out"
printf '%s\n%s\n' "$(git rev-parse HEAD 2>/dev/null || echo 'commit unknown')" "$0 $*" >"$out/origin.txt"

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

finish() { # the table of everything measured
    "$python" -m benchmarks.table "$out" | tee "$out/table.md"
    exit "$failed"
}
