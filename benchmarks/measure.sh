# What the suites of measurements share; sourced by gpu.sh and cpu.sh once ``device`` is set.
#
# Each step leaves its log and, as JSON, its last line in OUT, and if it fails its errors; that does not stop the others. A
# suite that was stopped goes on where it was, if command and commit are the same and nothing is changed since.
cd "$(dirname "${BASH_SOURCE[0]}")/.."
out=${OUT:?name a directory for the results: OUT=DIR $0}
python=${PYTHON:-python}
failed=0
mkdir -p "$out"
commit=$(git describe --always --abbrev=40 --exclude '*' --dirty 2>/dev/null || echo 'commit unknown')
origin=$(printf '%s\n%s' "$commit" "$0 $*")
if [[ ! $commit =~ ^[0-9a-f]{40}$ || "$(cat "$out/origin.txt" 2>/dev/null)" != "$origin" ]]; then
    rm -f "$out"/*.json
fi
echo "$origin" >"$out/origin.txt"

measure() { # name, limit in seconds, module and arguments
    local name=$1 limit=$2
    shift 2
    if [ -s "$out/$name.json" ] && [ ! -e "$out/$name.err" ]; then
        echo "== $name was measured before"
        return
    fi
    echo "== $name"
    timeout "$limit" "$python" -m "$@" --device "$device" 2>"$out/$name.err" | tee "$out/$name.log"
    local status=$?
    tail -n 1 "$out/$name.log" | grep '^{' >"$out/$name.json"
    if [ "$status" -eq 0 ]; then
        rm "$out/$name.err"
    else
        echo "$name failed: see $name.err"
        tail -n 5 "$out/$name.err"
        failed=1
    fi
}

finish() { # the table of everything measured
    "$python" -m benchmarks.table "$out" | tee "$out/table.md"
    exit "$failed"
}
