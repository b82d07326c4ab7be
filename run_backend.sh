#!/usr/bin/env bash
# Sets up what is missing, then starts the dispatcher and its workers in the background and waits until they are ready.
set -euo pipefail

ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
VENV="$ROOT/.venv"
VENV_PYTHON="$VENV/bin/python"
LOGS=${KHALA_LOGS_DIR:-$ROOT/backend/logs}
RUN_FILE="$LOGS/running" # the dispatcher's process; every port in use; the seconds it may take to stop
LOCK="$LOGS/starting"    # there while a launcher starts the dispatcher: a link whose text is the launcher's process
API_PORT=${KHALA_API_PORT:-${API_PORT:-8889}}
WORKER_BASE_PORT=${KHALA_WORKER_BASE_PORT:-${WORKER_BASE_PORT:-8001}}
HOST=${KHALA_HOST:-127.0.0.1}
export API_PORT WORKER_BASE_PORT
NEEDED_GB=6
READY_SECONDS=900
# Songs at work may be waited for; what follows, ending the workers, takes some seconds more.
STOP_SECONDS=$((25 + $(printf '%.0f' "${KHALA_SHUTDOWN_GRACE_SECONDS:-5}" 2> /dev/null || echo 5)))

CHOSEN= # the options that change how songs are made, as they were given
GPUS=0
RUNTIME_MODE=${KHALA_RUNTIME_MODE:-one_shot}
FOREGROUND=no
DEV=no
COMMAND=start

usage() {
    cat <<'HELP'
Usage: bash run_backend.sh [OPTIONS]      set up what is missing, start, and wait until ready
       bash run_backend.sh stop           stop the dispatcher and its workers
       bash run_backend.sh setup [--dev]  only set up; --dev: with what the tests need

Options:
  --gpus LIST            GPU numbers, one worker each: 0 (default), 0,1 or 6,7; or cpu.
                         Without a GPU there is one worker on the CPU.
  --runtime-mode MODE    one_shot (default): only the stage at work is in memory, safe on 24 GB;
                         keep_loaded: everything stays in memory, faster.
  --foreground           stay in this terminal; Ctrl-C stops everything.
  --help                 this text.

Environment: PYTHON (which Python to use), API_PORT (8889), WORKER_BASE_PORT (8001), BASE_MASTER_PORT (8791),
BASE_SEED (1283), KHALA_HOST (127.0.0.1; 0.0.0.0 lets other machines in), and all other KHALA_ settings.
Logs: backend/logs/api.log and backend/logs/worker_N.log.
HELP
}

say() { printf '%s\n' "$*"; }
fail() {
    printf 'run_backend.sh: %s\n' "$*" >&2
    exit 1
}

parse_arguments() {
    while [ $# -gt 0 ]; do
        case "$1" in
            stop | setup) COMMAND=$1 ;;
            --gpus) [ $# -gt 1 ] || misuse "--gpus needs a value, for example: --gpus 0,1"; GPUS=$2; CHOSEN+=" $1 $2"; shift ;;
            --gpus=*) GPUS=${1#*=}; CHOSEN+=" $1" ;;
            --runtime-mode) [ $# -gt 1 ] || misuse "--runtime-mode needs a value: one_shot or keep_loaded"; RUNTIME_MODE=$2; CHOSEN+=" $1 $2"; shift ;;
            --runtime-mode=*) RUNTIME_MODE=${1#*=}; CHOSEN+=" $1" ;;
            --foreground) FOREGROUND=yes ;;
            --dev) DEV=yes ;;
            -h | --help) usage; exit 0 ;;
            *) misuse "I do not know '$1'; see: bash run_backend.sh --help" ;;
        esac
        shift
    done
    case "$RUNTIME_MODE" in
        one_shot | keep_loaded) ;;
        *) misuse "--runtime-mode (or KHALA_RUNTIME_MODE) is one_shot or keep_loaded, not '$RUNTIME_MODE'" ;;
    esac
    case "$GPUS" in
        cpu | mps) ;;
        '' | *[!0-9,]* | ,* | *, | *,,*) misuse "--gpus takes GPU numbers such as 0 or 0,1, or cpu, not '$GPUS'" ;;
    esac
    check_port API_PORT "$API_PORT"
    check_port WORKER_BASE_PORT "$WORKER_BASE_PORT"
}

check_port() {
    case "$2" in
        [1-9] | [1-9][0-9] | [1-9][0-9][0-9] | [1-9][0-9][0-9][0-9] | [1-5][0-9][0-9][0-9][0-9] | 6[0-5][0-9][0-9][0-9]) ;;
        *) misuse "$1 is a port number, 1 to 65535, not '$2'" ;;
    esac
}

misuse() {
    printf 'run_backend.sh: %s\n' "$*" >&2
    exit 2
}

# ---- set-up ---------------------------------------------------------------------------------------------------------

hash_of() { # the hash of standard input
    if command -v sha256sum > /dev/null; then sha256sum; else shasum -a 256; fi | cut -d ' ' -f 1
}

is_good_python() { "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))' > /dev/null 2>&1; }

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        is_good_python "$PYTHON" || fail "PYTHON=$PYTHON is not a Python of version 3.10 or newer with its venv module."
        say "$PYTHON"
        return
    fi
    local candidate
    for candidate in python3 python3.13 python3.12 python3.11 python3.10 python; do
        if is_good_python "$candidate"; then
            say "$candidate"
            return
        fi
    done
    if command -v python3 > /dev/null; then
        fail "No Python of version 3.10 or newer with its venv module was found (python3 is $(python3 --version 2>&1)). Install one, for example with 'apt install python3 python3-venv', or name one: PYTHON=/path/to/python3.12 bash run_backend.sh"
    fi
    fail "Python was not found. Install version 3.10 or newer, or name one: PYTHON=/path/to/python3.12 bash run_backend.sh"
}

free_gb() { df -Pk "$ROOT" | awk 'NR == 2 { print int($4 / 1024 / 1024) }'; }

# install_requirements FILE [PIP OPTIONS]: once a version of the file, so that later runs start in seconds.
install_requirements() {
    local file=$1 stamp wanted
    shift
    stamp="$VENV/.installed-$file"
    wanted=$(cd "$ROOT" && cat requirements*.txt | hash_of)
    [ "$(cat "$stamp" 2> /dev/null || true)" = "$wanted" ] && return
    say "Installing $file (the first time this takes a few minutes) ..."
    "$VENV_PYTHON" -m pip install --disable-pip-version-check -qq "$@" -r "$ROOT/$file" \
        || fail "Installing $file failed; pip's message is above. Is the network there?"
    printf '%s\n' "$wanted" > "$stamp"
}

set_up_python() {
    if [ ! -x "$VENV_PYTHON" ]; then
        local python
        python=$(find_python)
        [ "$(free_gb)" -ge "$NEEDED_GB" ] \
            || fail "There are $(free_gb) GB free on the disk of $ROOT; the installation needs $NEEDED_GB."
        say "Creating .venv with $("$python" --version) ..."
        "$python" -m venv "$VENV" || fail "Creating .venv failed; the message is above."
        rm -f "$VENV"/.installed-*
    fi
    install_requirements requirements.txt
}

node_is_new_enough() {
    node -e 'const [major, minor] = process.versions.node.split(".").map(Number); process.exit(major > 20 || (major === 20 && minor >= 19) ? 0 : 1)'
}

set_up_page() {
    [ -f "$ROOT/frontend/package.json" ] || return 0
    local stamp="$ROOT/frontend/dist/.built-from" wanted
    if ! command -v node > /dev/null || ! command -v npm > /dev/null; then
        [ -f "$ROOT/frontend/dist/index.html" ] || say "Node.js is not installed, so the web page is not built; the API works without it."
        return 0
    fi
    if ! node_is_new_enough; then
        say "The web page needs Node.js 20.19 or newer, and this is $(node --version), so it is not built; the API works without it."
        return 0
    fi
    wanted=$(cd "$ROOT/frontend" && find . \( -name node_modules -o -name dist \) -prune -o -type f -print \
        | LC_ALL=C sort | while IFS= read -r file; do printf '%s\n' "$file"; cat "$file"; done | hash_of)
    [ "$(cat "$stamp" 2> /dev/null || true)" = "$wanted" ] && return
    say "Building the web page ..."
    if (cd "$ROOT/frontend" && npm ci --no-audit --no-fund --loglevel=error && npm run --silent build) >&2; then
        printf '%s\n' "$wanted" > "$stamp"
    else
        say "The web page could not be built (the messages are above); the API works without it."
    fi
}

# ---- start and stop -------------------------------------------------------------------------------------------------

base_url() { # where a program on this machine reaches the dispatcher on port $1
    case "$HOST" in
        0.0.0.0) say "http://127.0.0.1:$1" ;;
        ::) say "http://[::1]:$1" ;;
        *:*) say "http://[$HOST]:$1" ;;
        *) say "http://$HOST:$1" ;;
    esac
}

# Small containers have no ps, other systems no /proc: each of the next two asks where there is an answer.
process_state() {
    if [ -d /proc/self ]; then sed 's/.*) //' "/proc/$1/stat"; else ps -p "$1" -o stat=; fi 2> /dev/null | cut -c 1
}
process_command() {
    if [ -d /proc/self ]; then tr '\0' ' ' < "/proc/$1/cmdline"; else ps -p "$1" -o args=; fi 2> /dev/null
}

is_alive() { case "$(process_state "$1")" in '' | Z) return 1 ;; esac; }

dispatcher_pid() { # the running dispatcher's process, if there is one
    local pid
    pid=$(sed -n 1p "$RUN_FILE" 2> /dev/null || true)
    [ -n "$pid" ] && is_alive "$pid" && process_command "$pid" | grep -q -- '-m backend serve' && say "$pid"
}

port_is_taken() { (exec 3<> "/dev/tcp/127.0.0.1/$1") 2> /dev/null; }

who_listens() { # a few words about the process on a port, where the system tells
    if command -v lsof > /dev/null; then
        lsof -nP -iTCP:"$1" -sTCP:LISTEN 2> /dev/null | awk 'NR == 2 { print " by " $1 " (process " $2 ")" }'
    elif command -v ss > /dev/null; then
        ss -Hltnp "sport = :$1" 2> /dev/null | sed -n 's/.*users:(("\([^"]*\)",pid=\([0-9]*\).*/ by \1 (process \2)/p'
    fi
}

ports() { # the dispatcher's and one a worker
    local commas=${GPUS//[!,]/} worker
    say "$API_PORT"
    for ((worker = 0; worker <= ${#commas}; worker++)); do say $((WORKER_BASE_PORT + worker)); done
}

note_running() { printf '%s\n%s\n%s\n' "$1" "$(ports | tr '\n' ' ')" "$STOP_SECONDS" > "$RUN_FILE"; }

# Of two launchers at once only one may look, start and write RUN_FILE. Making a link is atomic and names its maker.
take_lock() {
    local holder tries=0
    mkdir -p "$LOGS"
    until ln -s $$ "$LOCK" 2> /dev/null; do
        holder=$(readlink "$LOCK" || true)
        if [ -n "$holder" ] && is_alive "$holder" && process_command "$holder" | grep -q 'run_backend\.sh'; then
            fail "Khala is being started already (by process $holder). To stop it: bash run_backend.sh stop"
        fi
        # Its maker was ended by force.
        rm -f "$LOCK"
        tries=$((tries + 1))
        [ "$tries" -lt 10 ] || fail "$LOCK cannot be made; check the permissions of $LOGS."
    done
    trap 'rm -f "$LOCK"' EXIT
}

start() {
    local pid port waiter
    take_lock
    if pid=$(dispatcher_pid); then
        say "Khala is already running: $(base_url "$(sed -n 2p "$RUN_FILE" | cut -d ' ' -f 1)") (process $pid)."
        [ -z "$CHOSEN" ] || say "It goes on as it was started; to have it use$CHOSEN, stop it first."
        say "To stop it: bash run_backend.sh stop"
        return
    fi
    for port in $(ports); do
        ! port_is_taken "$port" \
            || fail "Port $port is taken$(who_listens "$port"). Stop that program, or choose other ports, for example: API_PORT=9889 WORKER_BASE_PORT=9001 bash run_backend.sh"
    done
    set_up_python
    set_up_page
    cd "$ROOT"
    "$VENV_PYTHON" -m backend doctor --short >&2 \
        || fail "This has to be put right first (see above). All there is to know: .venv/bin/python -m backend doctor"
    if [ "$FOREGROUND" = yes ]; then
        note_running $$
        exec "$VENV_PYTHON" -m backend serve --gpus "$GPUS" --runtime-mode "$RUNTIME_MODE"
    fi

    say "Starting ..."
    nohup "$VENV_PYTHON" -m backend serve --gpus "$GPUS" --runtime-mode "$RUNTIME_MODE" \
        >> "$LOGS/api.log" 2>&1 < /dev/null &
    pid=$!
    note_running "$pid"
    "$VENV_PYTHON" -m backend status --wait "$READY_SECONDS" &
    waiter=$!
    while is_alive "$waiter"; do
        if ! is_alive "$pid"; then
            kill "$waiter" 2> /dev/null || true
            tail -n 5 "$LOGS/api.log" >&2
            fail "The dispatcher ended; the last lines of $LOGS/api.log are above."
        fi
        sleep 0.1
    done
    wait "$waiter" \
        || fail "Khala runs, but cannot make songs yet. Logs: $LOGS. To stop it: bash run_backend.sh stop"
    say "Khala is ready."
    say "  page  $(base_url "$API_PORT")/"
    say "  API   $(base_url "$API_PORT")/docs"
    say "  logs  $LOGS"
    say "  stop  bash run_backend.sh stop"
}

stop() {
    local pid port waits waited=0
    if ! pid=$(dispatcher_pid); then
        rm -f "$RUN_FILE"
        if port_is_taken "$API_PORT" && (cd "$ROOT" && "$VENV_PYTHON" -m backend status) > /dev/null 2>&1; then
            fail "A Khala answers on port $API_PORT, but it was not started with its logs in $LOGS. Stop it with the KHALA_LOGS_DIR that it was started with, or from its own folder."
        fi
        say "Khala is not running."
        return
    fi
    # As long as the server itself was told when it was started, whatever is set now.
    waits=$(sed -n 3p "$RUN_FILE")
    STOP_SECONDS=${waits:-$STOP_SECONDS}
    say "Stopping ..."
    kill -TERM "$pid" 2> /dev/null || true
    while is_alive "$pid"; do
        sleep 0.1
        waited=$((waited + 1))
        if [ "$waited" -eq $((STOP_SECONDS * 10)) ]; then
            say "It has not stopped within $STOP_SECONDS seconds; ending it by force. Its workers follow by themselves."
            kill -KILL "$pid" 2> /dev/null || true
        fi
    done
    waited=0
    for port in $(sed -n 2p "$RUN_FILE"); do
        while port_is_taken "$port"; do
            sleep 0.1
            waited=$((waited + 1))
            [ "$waited" -lt $((STOP_SECONDS * 10)) ] \
                || fail "Khala has stopped, but port $port is still taken$(who_listens "$port")."
        done
    done
    rm -f "$RUN_FILE"
    say "Stopped."
}

set_up() {
    set_up_python
    if [ "$DEV" = yes ]; then
        install_requirements requirements-dev.txt
        install_requirements requirements-dev-nodeps.txt --no-deps
    else
        set_up_page
    fi
}

parse_arguments "$@"
case "$COMMAND" in
    stop) stop ;;
    setup) set_up ;;
    start) start ;;
esac
