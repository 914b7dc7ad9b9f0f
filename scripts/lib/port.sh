# shellcheck shell=bash
# Free ports of the loopback interface.

# True when something accepts connections on 127.0.0.1:$1.
port_answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Prints a free port. Chosen at random below the kernel's ephemeral range (from 32768), so that neither an outgoing
# connection nor rabbitmqctl's 35672-35682 can take it between now and its use; two runs at once rarely meet, and
# whoever starts a server tries again with another one.
free_port() {
    local port
    for _ in {1..200}; do
        port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
        if ! port_answers "$port"; then
            echo "$port"
            return
        fi
    done
    die "no free port between 20000 and 31999"
}
