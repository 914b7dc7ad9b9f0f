# shellcheck shell=bash
# A private RabbitMQ on free ports of the loopback interface, with its own name server (epmd), cookie and folders.
# Needs say.sh, port.sh, process.sh. After rabbitmq_begin and rabbitmq_await: $RABBITMQ_URL.

RABBITMQ_SERVER=/usr/lib/rabbitmq/bin/rabbitmq-server
RABBITMQ_PID=
RABBITMQ_EPMD_PID=
RABBITMQ_FOLDER=
RABBITMQ_PORT=
RABBITMQ_URL=

rabbitmq_binary() { [[ -x $RABBITMQ_SERVER ]] && echo "$RABBITMQ_SERVER"; }

# Prints the name server's program: in the path, or inside the Erlang installation.
epmd_binary() {
    local epmd
    for epmd in "$(type -P epmd || true)" /usr/lib/erlang/bin/epmd /usr/lib/erlang/erts-*/bin/epmd; do
        [[ -x $epmd ]] && echo "$epmd" && return
    done
    return 1
}

# rabbitmq_write_configuration AMQP_PORT EPMD_PORT DISTRIBUTION_PORT
rabbitmq_write_configuration() {
    # The name is new for every run: a node of an earlier run can never answer for this one.
    RABBITMQ_NODE="frontdesk-$$-$RANDOM@localhost"
    cat >"$RABBITMQ_FOLDER/rabbitmq-env.conf" <<ENVIRONMENT
NODENAME=$RABBITMQ_NODE
MNESIA_BASE=$RABBITMQ_FOLDER/mnesia
LOG_BASE=$RABBITMQ_FOLDER/log
CONFIG_FILE=$RABBITMQ_FOLDER/rabbitmq.conf
ADVANCED_CONFIG_FILE=$RABBITMQ_FOLDER/advanced.config
ENABLED_PLUGINS_FILE=$RABBITMQ_FOLDER/enabled_plugins
GENERATED_CONFIG_DIR=$RABBITMQ_FOLDER/generated
DIST_PORT=$3
ERL_EPMD_ADDRESS=127.0.0.1
ERL_EPMD_PORT=$2
SERVER_ADDITIONAL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1}"
ENVIRONMENT
    cat >"$RABBITMQ_FOLDER/rabbitmq.conf" <<CONFIGURATION
listeners.tcp.1 = 127.0.0.1:$1
log.console = false
log.file.level = info
CONFIGURATION
    echo '[].' >"$RABBITMQ_FOLDER/enabled_plugins"
    echo '[].' >"$RABBITMQ_FOLDER/advanced.config"
}

# True when the broker greets an AMQP client. It opens this port last, so that it can then do its work.
rabbitmq_greets() {
    local greeting
    { greeting=$(
        exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 1
        printf 'AMQP\0\0\11\1' >&3
        timeout 2 head -c 1 <&3 | od -An -tx1 | tr -d ' '
    ); } 2>/dev/null
    # 01 opens the frame "connection.start".
    [[ $greeting == 01 ]]
}

rabbitmq_spawn() {
    local -a environment=(HOME="$RABBITMQ_FOLDER" RABBITMQ_CONF_ENV_FILE="$RABBITMQ_FOLDER/rabbitmq-env.conf"
        ERL_EPMD_ADDRESS=127.0.0.1 ERL_EPMD_PORT="$1"
        # Makes the start script become the node, so that our child is the broker itself.
        RUNNING_UNDER_SYSTEMD=true)
    spawn "$RABBITMQ_LOG" env "${environment[@]}" "$(epmd_binary)" -port "$1" -address 127.0.0.1
    RABBITMQ_EPMD_PID=$SPAWNED
    # Were it not there in time, the node would start one of its own, which nobody would stop.
    wait_until 10 "$RABBITMQ_EPMD_PID" port_answers "$1" || die "epmd, RabbitMQ's name server, does not start"
    spawn "$RABBITMQ_LOG" env -C "$RABBITMQ_FOLDER" "${environment[@]}" "$RABBITMQ_SERVER"
    RABBITMQ_PID=$SPAWNED
}

# rabbitmq_begin STATE_DIR launches the node; rabbitmq_await, after other work, waits for it and tries again elsewhere
# when it did not start.
rabbitmq_begin() {
    rabbitmq_binary >/dev/null || die "RabbitMQ is missing: scripts/provision installs it"
    RABBITMQ_FOLDER=$1/rabbitmq
    RABBITMQ_LOG=$1/rabbitmq.log
    rm -rf -- "$RABBITMQ_FOLDER"
    mkdir -p "$RABBITMQ_FOLDER/mnesia" "$RABBITMQ_FOLDER/log" "$RABBITMQ_FOLDER/generated"
    RABBITMQ_PORT=$(free_port)
    local epmd_port
    epmd_port=$(free_port)
    rabbitmq_write_configuration "$RABBITMQ_PORT" "$epmd_port" "$(free_port)"
    rabbitmq_spawn "$epmd_port"
}

# rabbitmq_await STATE_DIR
rabbitmq_await() {
    local attempt
    for attempt in 1 2 3; do
        if wait_until 60 "$RABBITMQ_PID" rabbitmq_greets "$RABBITMQ_PORT"; then
            # shellcheck disable=SC2034 # read by services.sh
            RABBITMQ_URL="amqp://guest:guest@127.0.0.1:$RABBITMQ_PORT/%2f"
            return
        fi
        note "RabbitMQ did not start on port $RABBITMQ_PORT (attempt $attempt of 3)"
        rabbitmq_halt
        ((attempt == 3)) || rabbitmq_begin "$1"
    done
    tail -n 20 "$RABBITMQ_LOG" "$RABBITMQ_FOLDER"/log/*.log >&2 || true
    die "RabbitMQ does not start; its log is above"
}

# The node first, then its name server: a node that cannot find its name server complains for a while.
rabbitmq_halt() {
    [[ -z $RABBITMQ_PID ]] || stop_process "$RABBITMQ_PID" 20 TERM
    [[ -z $RABBITMQ_EPMD_PID ]] || stop_process "$RABBITMQ_EPMD_PID" 5 TERM
    RABBITMQ_PID=
    RABBITMQ_EPMD_PID=
}

rabbitmq_stop() {
    rabbitmq_halt
    [[ -z $RABBITMQ_FOLDER ]] || rm -rf -- "$RABBITMQ_FOLDER"
    RABBITMQ_FOLDER=
}
