# shellcheck shell=bash
# A private PostgreSQL on a free port of the loopback interface: durable as in production, gone afterwards.
# Needs say.sh, port.sh, process.sh. After postgres_start: $POSTGRES_URL.

POSTGRES_MINIMUM=15
POSTGRES_PID=
POSTGRES_FOLDER=
POSTGRES_URL=

# Prints the folder of the newest server binaries, if any are new enough.
postgres_binaries() {
    local initdb version best=0 found=
    for initdb in /usr/lib/postgresql/*/bin/initdb "$(type -P initdb || true)"; do
        [[ -x $initdb && -x ${initdb%/*}/postgres ]] || continue
        version=$("$initdb" --version | grep -oE '[0-9]+' | head -n 1)
        if ((version >= POSTGRES_MINIMUM && version > best)); then
            best=$version
            found=${initdb%/*}
        fi
    done
    [[ -n $found ]] && echo "$found"
}

# PostgreSQL refuses to run as root; then the user of the package runs it.
postgres_user() {
    if ((EUID == 0)); then echo postgres; else id -un; fi
}

postgres_as_its_user() {
    if ((EUID == 0)); then
        setpriv --reuid postgres --regid "$(id -g postgres)" --init-groups -- "$@"
    else
        "$@"
    fi
}

# postgres_make_folder STATE_DIR makes a folder that the server's user owns and can enter.
postgres_make_folder() {
    POSTGRES_FOLDER=$1/postgres
    mkdir -p "$POSTGRES_FOLDER"
    if ((EUID == 0)); then
        chown "$(postgres_user)" "$POSTGRES_FOLDER"
        if ! postgres_as_its_user test -w "$POSTGRES_FOLDER"; then
            # The clone lies where that user may not go, for example below /root.
            rmdir "$POSTGRES_FOLDER"
            POSTGRES_FOLDER=$(mktemp -d /var/tmp/frontdesk-postgres.XXXXXX)
            # For the sweep of a later run, should this one be killed.
            ln -s "$POSTGRES_FOLDER" "$1/elsewhere"
            chown "$(postgres_user)" "$POSTGRES_FOLDER"
        fi
    fi
    chmod 700 "$POSTGRES_FOLDER"
}

# postgres_initialise BINARIES PASSWORD
postgres_initialise() {
    local data=$POSTGRES_FOLDER/data password_file=$POSTGRES_FOLDER/password
    # The folder is closed to everybody but the server's user.
    echo "$2" >"$password_file"
    ((EUID != 0)) || chown "$(postgres_user)" "$password_file"
    postgres_as_its_user env -C "$POSTGRES_FOLDER" "$1/initdb" -D "$data" -U frontdesk -E UTF8 --locale=C.UTF-8 \
        --no-sync --auth=scram-sha-256 --pwfile="$password_file" >>"$POSTGRES_LOG" 2>&1 || {
        tail -n 20 "$POSTGRES_LOG" >&2
        die "initdb failed; its words are above"
    }
    rm -f -- "$password_file"
    # fsync, full_page_writes and synchronous_commit stay on: the services refuse a server without them.
    cat >>"$data/postgresql.conf" <<'SETTINGS'
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
shared_buffers = 256MB
max_wal_size = 8GB
wal_compression = on
max_connections = 200
SETTINGS
}

# postgres_query BINARIES PORT PASSWORD DATABASE SQL
postgres_query() {
    PGPASSWORD=$3 PGCONNECT_TIMEOUT=2 "$1/psql" -X -q -t -A -v ON_ERROR_STOP=1 \
        -h 127.0.0.1 -p "$2" -U frontdesk -d "$4" -c "$5"
}

# Only our own server knows the password, so an answer proves that nobody else took the port.
postgres_answers() { postgres_query "$1" "$2" "$3" postgres "select 1" >/dev/null 2>&1; }

# postgres_start STATE_DIR
postgres_start() {
    local binaries password port attempt
    binaries=$(postgres_binaries) || die "PostgreSQL $POSTGRES_MINIMUM or newer is missing: scripts/provision installs it"
    POSTGRES_LOG=$1/postgres.log
    password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
    postgres_make_folder "$1"
    postgres_initialise "$binaries" "$password"
    for attempt in 1 2 3; do
        port=$(free_port)
        # INT is its fast shutdown; TERM would wait for the last client.
        spawn --as "$(postgres_user)" --signal INT "$POSTGRES_LOG" \
            env -C "$POSTGRES_FOLDER" "$binaries/postgres" -D "$POSTGRES_FOLDER/data" -p "$port"
        POSTGRES_PID=$SPAWNED
        if wait_until 30 "$POSTGRES_PID" postgres_answers "$binaries" "$port" "$password"; then
            postgres_query "$binaries" "$port" "$password" postgres "create database frontdesk"
            # shellcheck disable=SC2034 # read by services.sh
            POSTGRES_URL="postgres://frontdesk:$password@127.0.0.1:$port/frontdesk"
            return
        fi
        postgres_halt
        note "PostgreSQL did not start on port $port (attempt $attempt of 3)"
    done
    tail -n 20 "$POSTGRES_LOG" >&2
    die "PostgreSQL does not start; its log is above"
}

postgres_halt() {
    [[ -n $POSTGRES_PID ]] || return 0
    stop_process "$POSTGRES_PID" 15 INT
    POSTGRES_PID=
}

postgres_stop() {
    postgres_halt
    [[ -z $POSTGRES_FOLDER ]] || rm -rf -- "$POSTGRES_FOLDER"
    POSTGRES_FOLDER=
}
