# shellcheck shell=bash
# The steps of scripts/test: each is timed and counted, a failed one stops nothing.
# Needs say.sh and a STATE_DIR for the logs.

PASSED=0
FAILED=0
FAILED_STEPS=()
STEP_LOG=
STEP_PID=

seconds_now() { date +%s.%N; }

# step NAME COMMAND...: a check that counts as one.
step() {
    local name=$1
    shift
    if step_run "$name" "$@"; then
        PASSED=$((PASSED + 1))
    else
        FAILED=$((FAILED + 1))
    fi
}

# step_counted NAME COUNTER COMMAND...: a suite. COUNTER reads its log and prints "PASSED FAILED". A suite that failed
# without a failed test (it did not build, it crashed) counts as one failure; one that ran nothing proves nothing and
# counts as one, too.
step_counted() {
    local name=$1 counter=$2 passed failed status=0
    shift 2
    step_run "$name" "$@" || status=$?
    read -r passed failed < <($counter <"$STEP_LOG") || true
    passed=${passed:-0}
    failed=${failed:-0}
    if ((status == 0 && passed + failed == 0)); then
        say "FAILED  $name ran no test at all"
        FAILED_STEPS+=("$name ran no test at all")
        failed=1
    elif ((status != 0 && failed == 0)); then
        failed=1
    fi
    PASSED=$((PASSED + passed))
    FAILED=$((FAILED + failed))
    note "$passed passed, $failed failed"
}

step_run() {
    local name=$1 began status=0
    shift
    STEP_LOG=$STATE_DIR/$(tr -cs '[:alnum:]\n' '-' <<<"$name").log
    began=$(seconds_now)
    say "$name"
    # In a process group of its own, which steps_interrupt ends as a whole.
    set -m
    "$@" </dev/null >"$STEP_LOG" 2>&1 &
    STEP_PID=$!
    set +m
    wait "$STEP_PID" || status=$?
    STEP_PID=
    if ((status == 0)); then
        note "$(printf 'ok, %.1f s' "$(minus "$(seconds_now)" "$began")")"
    else
        tail -n "${STEP_TAIL:-80}" "$STEP_LOG" | sed 's/^/    | /' >&2
        note "$(printf 'FAILED (exit %s), %.1f s; whole log: %s' "$status" "$(minus "$(seconds_now)" "$began")" "${STEP_LOG#"$ROOT"/}")"
        FAILED_STEPS+=("$name")
    fi
    return "$status"
}

# Ends the running step and waits until it has tidied up.
steps_interrupt() {
    trap '' INT TERM HUP
    if [[ -n $STEP_PID ]]; then
        kill -TERM -- "-$STEP_PID" 2>/dev/null || true
        wait "$STEP_PID" 2>/dev/null || true
        # The shell of a step may end before what it started: servers take a moment.
        while pgrep -g "$STEP_PID" >/dev/null; do sleep 0.1; done
    fi
    exit 130
}

minus() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.3f", a - b }'; }

without_colours() { sed 's/\x1b\[[0-9;]*m//g'; }

# "     Summary [   1.2s] 12 tests run: 10 passed (1 slow), 2 failed, 3 skipped"
count_nextest() {
    without_colours | awk '/^ *Summary \[/ { for (i = 1; i < NF; i++) {
            if ($(i + 1) ~ /^passed/) passed += $i; if ($(i + 1) ~ /^(failed|timed|exec)/) failed += $i } }
        END { print passed + 0, failed + 0 }'
}

# "test result: ok. 3 passed; 0 failed; ..."
count_cargo_test() {
    awk '/^test result:/ { passed += $4; failed += $6 } END { print passed + 0, failed + 0 }'
}

# "      Tests  1 failed | 12 passed (13)"
count_vitest() {
    without_colours | awk '$1 == "Tests" { for (i = 2; i < NF; i++) {
            if ($(i + 1) == "passed") passed += $i; if ($(i + 1) == "failed") failed += $i } }
        END { print passed + 0, failed + 0 }'
}

# "# pass 3" or "ℹ pass 3"
count_node_test() {
    without_colours | awk '$2 == "pass" && NF == 3 { passed += $3 } $2 == "fail" && NF == 3 { failed += $3 }
        END { print passed + 0, failed + 0 }'
}

# The closing line stands alone, so that a machine finds it as easily as a person.
steps_report() {
    local failed_step
    for failed_step in "${FAILED_STEPS[@]}"; do
        say "FAILED  $failed_step"
    done
    note "in $((SECONDS / 60)) min $((SECONDS % 60)) s"
    echo "$PASSED passed, $FAILED failed"
    ((FAILED == 0))
}
