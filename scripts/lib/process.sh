# shellcheck shell=bash
# Children of a script that must not outlive it.

# spawn [--as USER] [--signal NAME] LOGFILE COMMAND... starts a command in a session of its own, so that Ctrl-C reaches
# only the script, which then stops its children in order. The kernel sends the child the signal (TERM) should the
# script itself be killed. The process id is in $SPAWNED.
spawn() {
    local signal=TERM log
    local -a identity=()
    while [[ $1 == --* ]]; do
        case $1 in
            --as) ((EUID != 0)) || identity=(--reuid "$2" --regid "$(id -g "$2")" --init-groups) ;;
            --signal) signal=$2 ;;
            *) die "spawn does not know $1" ;;
        esac
        shift 2
    done
    log=$1
    shift
    setsid setpriv "${identity[@]}" --pdeathsig "$signal" -- "$@" </dev/null >>"$log" 2>&1 &
    # shellcheck disable=SC2034 # the caller reads it
    SPAWNED=$!
}

# True while the process lives; a zombie does not.
is_running() {
    local state
    [[ -r /proc/$1/stat ]] || return 1
    state=$(sed 's/.*) //; s/ .*//' "/proc/$1/stat" 2>/dev/null) || return 1
    [[ -n $state && $state != Z ]]
}

# Waits until a command succeeds: wait_until SECONDS PID COMMAND... fails early when the process has ended.
wait_until() {
    local seconds=$1 pid=$2 deadline
    shift 2
    deadline=$((SECONDS + seconds))
    until "$@"; do
        is_running "$pid" || return 1
        ((SECONDS < deadline)) || return 1
        sleep 0.05
    done
}

# Stops a process: stop_process PID [SECONDS [SIGNAL]]. Asks, waits, and only then insists.
stop_process() {
    local pid=$1 seconds=${2:-10} signal=${3:-TERM} deadline
    is_running "$pid" || return 0
    kill "-$signal" "$pid" 2>/dev/null || return 0
    deadline=$((SECONDS + seconds))
    while is_running "$pid"; do
        if ((SECONDS >= deadline)); then
            warn "process $pid ($(tr '\0' ' ' <"/proc/$pid/cmdline" | cut -c1-60)) did not stop in ${seconds} s; killed"
            kill -KILL "$pid" 2>/dev/null || true
            break
        fi
        sleep 0.05
    done
    wait "$pid" 2>/dev/null || true
}
