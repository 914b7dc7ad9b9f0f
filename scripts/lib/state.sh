# shellcheck shell=bash
# One run's folder for data and logs, below .demo/ of the clone; removed when the run ends, or kept until the next run
# of the same name when there is something to read in it.

STATE_DIR=

# state_create NAME. The run and all its children hold the folder's lock, so that a later run knows whether it is left over.
state_create() {
    mkdir -p "$ROOT/.demo"
    rm -f -- "$ROOT"/.demo/"$1".*/kept
    state_sweep
    STATE_DIR=$(mktemp -d "$ROOT/.demo/$1.XXXXXX")
    # Others may pass through, as the database's user must, but not look around.
    chmod 711 "$STATE_DIR"
    exec {STATE_LOCK}>"$STATE_DIR/lock"
    flock "$STATE_LOCK"
}

# A run that was killed could not tidy up.
state_sweep() {
    local lock folder
    for lock in "$ROOT"/.demo/*/lock; do
        [[ -e $lock && ! -e ${lock%/lock}/kept ]] || continue
        folder=${lock%/lock}
        flock --nonblock "$lock" true 2>/dev/null || continue
        [[ ! -e $folder/elsewhere ]] || rm -rf -- "$(readlink "$folder/elsewhere")"
        rm -rf -- "$folder"
    done
}

state_keep() { touch "$STATE_DIR/kept"; }

state_remove() {
    [[ -z $STATE_DIR ]] || rm -rf -- "$STATE_DIR"
    STATE_DIR=
}
