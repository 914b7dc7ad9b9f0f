#!/usr/bin/env bash
# Nothing remains of a demo that was interrupted: no process, no port, no folder. Starts one and presses Ctrl-C.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
for noun in say port process; do
    # shellcheck source=/dev/null
    source "$ROOT/scripts/lib/$noun.sh"
done

words=$(mktemp)
trap 'rm -f -- "$words" "$words.processes"' EXIT

# Process groups as a terminal has them: Ctrl-C reaches the script and what shares its group. env gives it the signal
# back, which a shell takes from its background.
setsid env --default-signal=INT,QUIT "$ROOT/scripts/demo" --no-install >"$words" 2>&1 &
demo=$!
invited() { grep -q 'Ctrl-C stops everything' "$words"; }
wait_until 300 "$demo" invited || { cat "$words" && die "the demo did not start"; }

# Everything that descends from the demo, as pairs of process and start time: a number may be used again.
descendants() {
    ps -eo pid=,ppid=,lstart= | awk -v root="$demo" '
        { pid[NR] = $1; parent[$1] = $2; $2 = ""; began[$1] = $0 }
        END { for (n = 1; n <= NR; n++) { p = pid[n]; while (p in parent && p != root) p = parent[p]
            if (p == root && pid[n] != root) print began[pid[n]] } }' | sort
}
# The same for everything that lives; what only waits for init to count it does not.
alive() { ps -eo pid=,stat=,lstart= | awk '$2 !~ /^Z/ { $2 = ""; print }' | sort; }
descendants >"$words.processes"
mapfile -t ports < <(grep -oE '127\.0\.0\.1:[0-9]+' "$words" | cut -d: -f2 | sort -u)
folder=$(awk '/^Logs:/ { print $2 }' "$words")
# PostgreSQL, RabbitMQ with its name server, the platforms, both services.
(($(wc -l <"$words.processes") >= 6 && ${#ports[@]} >= 2)) || die "too little runs to tell anything"
[[ -d $ROOT/$folder ]] || die "there is no $folder"

kill -INT -- "-$demo"
status=0
wait "$demo" || status=$?
((status == 0)) || die "Ctrl-C ended the demo with $status"

faults=0
remain() {
    echo "$* remains"
    faults=$((faults + 1))
}
while read -r line; do
    remain "process $line ($(ps -o args= -p "${line%% *}" | cut -c1-60))"
done < <(comm -12 "$words.processes" <(alive))
for port in "${ports[@]}"; do
    ! port_answers "$port" || remain "port $port"
done
[[ ! -e $ROOT/$folder ]] || remain "$folder"
((faults == 0)) || exit 1
echo "$(wc -l <"$words.processes") processes and ${#ports[@]} ports were there; nothing remains"
