# shellcheck shell=bash
# The console's packages and its build, each done anew only when what it is made of has changed.

CONSOLE_DIR=$ROOT/console

# Prints a digest of what the given files and folders hold.
digest_of() {
    (cd "$CONSOLE_DIR" && find "$@" -type f -print0 2>/dev/null | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -d' ' -f1)
}

console_packages() {
    local stamp=$CONSOLE_DIR/node_modules/.frontdesk-lock wanted
    wanted="$(digest_of package-lock.json) $(node --version)"
    [[ -e $stamp && $(<"$stamp") == "$wanted" ]] && return
    (cd "$CONSOLE_DIR" && npm ci --no-audit --no-fund) || return 1
    echo "$wanted" >"$stamp"
}

# Everything but what is made by it goes into the digest: a new kind of source cannot be forgotten.
console_build() {
    local stamp=$CONSOLE_DIR/node_modules/.frontdesk-build wanted sources=()
    mapfile -t sources < <(cd "$CONSOLE_DIR" && find . -mindepth 1 -maxdepth 1 \
        ! -name node_modules ! -name dist ! -name journeys ! -name dev -printf '%f\n')
    wanted=$(digest_of "${sources[@]}")
    [[ -e $CONSOLE_DIR/dist/index.html && -e $stamp && $(<"$stamp") == "$wanted" ]] && return
    console_packages || return 1
    (cd "$CONSOLE_DIR" && npm run build) || return 1
    echo "$wanted" >"$stamp"
}
