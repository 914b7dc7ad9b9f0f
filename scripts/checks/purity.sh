#!/usr/bin/env bash
# The inner rooms stay pure: `shared` and `domain` reach no I/O, clock, randomness or async; `engine` reaches the world
# only through its ports. Checked on the dependency tree and, for what hides inside permitted crates, on the source.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
faults=0

fault() {
    echo "$*"
    faults=$((faults + 1))
}

# forbid PACKAGE REASON NAME...: none of the names may be a normal dependency of the package, directly or not.
forbid() {
    local package=$1 reason=$2 tree name
    shift 2
    tree=$(cargo tree --locked -p "$package" -e normal --prefix none --format '{p}' | cut -d' ' -f1 | sort -u)
    for name in "$@"; do
        if grep -qx -- "$name" <<<"$tree"; then
            fault "$package reaches $name, but $reason:"
            cargo tree --locked -p "$package" -e normal -i "$name" --depth 4 | sed 's/^/    /'
        fi
    done
}

PURE="is pure: no I/O, clock, randomness or async"
WORLD=(tokio mio futures async-std smol diesel pq-sys actix-web actix-http lapin reqwest hyper rand socket2 tracing-subscriber)
for package in shared domain; do
    forbid "$package" "it $PURE" "${WORLD[@]}"
    # chrono's data types would be pure, its feature "clock" is not.
    if cargo tree --locked -p "$package" -e normal,features --prefix none | grep -qE '^chrono feature "(clock|now)"'; then
        fault "$package reaches chrono's clock, but it $PURE"
    fi
done
forbid engine "it reaches the world only through its ports" \
    diesel diesel_migrations pq-sys r2d2 actix-web actix-http lapin reqwest hyper rand store migrations runtime dispatcher

# forbid_words FOLDER REASON PATTERN: outside comments.
forbid_words() {
    local found
    found=$(grep -rnE --include='*.rs' -- "$3" "$1" | grep -vE '^[^:]+:[0-9]+:[[:space:]]*//' || true)
    [[ -z $found ]] || fault "$1 must not say this: $2
${found//$'\n'/$'\n'    }"
}

CLOCKS='SystemTime|Instant::now|Utc::now|Local::now'
CHANCE='Uuid::(now_v|new_v[1467])|OsRng|thread_rng|getrandom|rand::'
for folder in shared/src dispatcher/domain/src; do
    forbid_words "$folder" "it $PURE" "$CLOCKS|$CHANCE|\basync (fn|move|\{)|std::(net|process|thread)::"
done
forbid_words dispatcher/engine/src "time, ids and chance come from the Environment port" "$CLOCKS|$CHANCE|std::(net|process|thread|fs|env)::"

# A select! that polls in random order makes the same seed take another way.
unbiased=$(find dispatcher/engine/src -name '*.rs' -exec awk '
    waiting && NF { if ($0 !~ /biased;/) print FILENAME ":" FNR ": select! without biased"; waiting = 0 }
    /select! *\{/ { waiting = 1; if ($0 ~ /select! *\{.*biased;/) waiting = 0 }' {} +)
[[ -z $unbiased ]] || fault "$unbiased"

((faults == 0)) || exit 1
echo "shared and domain are pure; engine reaches the world only through its ports"
