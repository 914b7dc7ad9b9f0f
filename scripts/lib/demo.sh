# shellcheck shell=bash
# The whole of Frontdesk on this machine, with simulated platforms in place of Facebook and Chatopera.
# Needs services.sh, binaries.sh and a STATE_DIR.

DEMO_PIDS=()
DEMO_NAMES=()

random_hex() { od -An -N"$1" -tx1 /dev/urandom | tr -d ' \n'; }

# preferred_port PORT: that one, or a free one when it is taken.
preferred_port() { if port_answers "$1"; then free_port; else echo "$1"; fi; }

answers_ok() { curl --silent --fail --noproxy '*' --max-time 2 --output /dev/null "$1"; }

# What all the processes are told. The secrets are those that the simulated platforms check.
demo_configure() {
    local ingress dispatcher platforms
    ingress=$(preferred_port 8035)
    dispatcher=$(preferred_port 8036)
    platforms=$(preferred_port 8040)
    export INGRESS_LISTEN=127.0.0.1:$ingress DISPATCHER_LISTEN=127.0.0.1:$dispatcher PLATFORMS_LISTEN=127.0.0.1:$platforms
    export FRONTDESK_INGRESS_URL=http://$INGRESS_LISTEN FRONTDESK_CONSOLE_URL=http://$DISPATCHER_LISTEN
    export FRONTDESK_PLATFORMS_URL=http://$PLATFORMS_LISTEN FRONTDESK_PHONE_URL=http://$PLATFORMS_LISTEN/phone
    export PUBLIC_URL=$FRONTDESK_CONSOLE_URL CONSOLE_DIR=$ROOT/console/dist
    export GRAPH_API_URL=$FRONTDESK_PLATFORMS_URL CHATOPERA_URL=$FRONTDESK_PLATFORMS_URL
    unset GRAPH_PROXY
    export ENCRYPTION_KEY=${ENCRYPTION_KEY:-$(head -c 32 /dev/urandom | base64 -w0)}
    export RUST_LOG=${RUST_LOG:-info}

    export FACEBOOK_APP_ID=1517776481860111 APP_SECRET VERIFY_TOKEN=foobar20
    APP_SECRET=$(random_hex 16)
    export PAGE_ID=159955055741 PAGE_NAME="春松客服 DEMO" PAGE_TOKEN
    PAGE_TOKEN=EAA$(random_hex 24)
    export CHATOPERA_CLIENT_ID CHATOPERA_SECRET
    CHATOPERA_CLIENT_ID=$(random_hex 12)
    CHATOPERA_SECRET=$(random_hex 16)
    export WEBHOOK_URL=$FRONTDESK_INGRESS_URL/facebook/webhook/$PAGE_ID
}

# demo_step NAME COMMAND...: something that ends by itself; its words are shown when it fails.
demo_step() {
    local name=$1
    shift
    "$@" 2>>"$STATE_DIR/$name.log" || {
        tail -n 20 "$STATE_DIR/$name.log" >&2
        die "$name failed; its words are above"
    }
}

# demo_spawn NAME READY_URL COMMAND...
demo_spawn() {
    local name=$1 url=$2
    shift 2
    spawn "$STATE_DIR/$name.log" "$@"
    DEMO_PIDS+=("$SPAWNED")
    DEMO_NAMES+=("$name")
    wait_until 30 "$SPAWNED" answers_ok "$url" || {
        tail -n 20 "$STATE_DIR/$name.log" >&2
        die "$name is not ready ($url); its log is above"
    }
}

# seed_field FIELD.FIELD prints a value of what seed-demo said.
seed_field() {
    # shellcheck disable=SC2016 # JavaScript's own dollars
    node -e '
        const seed = JSON.parse(require("node:fs").readFileSync(process.argv[1], "utf8"));
        const value = process.argv[2].split(".").reduce((object, key) => object?.[key], seed);
        if (typeof value !== "string") { console.error(`seed-demo said no ${process.argv[2]}`); process.exit(1); }
        process.stdout.write(value);' "$STATE_DIR/seed.json" "$1"
}

demo_seed() {
    demo_step migrate "$BINARIES_DIR/dispatcher" migrate >>"$STATE_DIR/migrate.log"
    demo_step seed-demo "$BINARIES_DIR/dispatcher" seed-demo >"$STATE_DIR/seed.json"
    export FRONTDESK_AGENT_LOGIN FRONTDESK_AGENT_PASSWORD FRONTDESK_ADMIN_LOGIN FRONTDESK_ADMIN_PASSWORD
    FRONTDESK_AGENT_LOGIN=$(seed_field agent.login)
    FRONTDESK_AGENT_PASSWORD=$(seed_field agent.password)
    FRONTDESK_ADMIN_LOGIN=$(seed_field administrator.login)
    FRONTDESK_ADMIN_PASSWORD=$(seed_field administrator.password)
}

demo_start() {
    demo_configure
    services_start
    demo_seed
    demo_spawn platforms "$FRONTDESK_PHONE_URL" "$BINARIES_DIR/platforms"
    demo_spawn dispatcher "$FRONTDESK_CONSOLE_URL/readyz" "$BINARIES_DIR/dispatcher" serve
    demo_spawn ingress "$FRONTDESK_INGRESS_URL/readyz" "$BINARIES_DIR/ingress"
}

# The last that started stops first: nothing is left without what it needs.
demo_stop() {
    local place
    for ((place = ${#DEMO_PIDS[@]} - 1; place >= 0; place--)); do
        stop_process "${DEMO_PIDS[place]}" 12 TERM
    done
    DEMO_PIDS=()
    services_stop
}

# Prints the name of a process that has ended, if any has.
demo_ended() {
    local place
    for place in "${!DEMO_PIDS[@]}"; do
        is_running "${DEMO_PIDS[place]}" || { echo "${DEMO_NAMES[place]}" && return; }
    done
    return 1
}

demo_logs() {
    local log
    for log in "$STATE_DIR"/*.log; do
        say "the end of ${log##*/}"
        tail -n "${1:-25}" "$log" | cut -c1-400 >&2
    done
}
