# shellcheck shell=bash
# Says what this machine lacks and installs it. Where everything is there, nothing happens.

for noun in say download packages node rust port process postgres rabbitmq; do
    # shellcheck source=/dev/null
    source "$ROOT/scripts/lib/$noun.sh"
done

# What is missing: a line for a person each; packages of apt; functions that install the rest, in order.
MISSING=()
MISSING_PACKAGES=()
MISSING_INSTALLERS=()

# need WHAT CHECK PACKAGE...: notes WHAT as missing, to be had from the packages, unless CHECK succeeds.
need() {
    local what=$1 check=$2
    shift 2
    ! $check >/dev/null 2>&1 || return 0
    MISSING+=("$what  (apt: $*)")
    MISSING_PACKAGES+=("$@")
}

# need_else WHAT CHECK INSTALLER FROM: the same with a function that installs it.
need_else() {
    ! $2 >/dev/null 2>&1 || return 0
    MISSING+=("$1  ($4)")
    MISSING_INSTALLERS+=("$3")
}

has_certificates() { [[ -s /etc/ssl/certs/ca-certificates.crt ]]; }
has_libpq() { pkg-config --exists libpq; }
has_chinese_font() { [[ -n $(fc-list :lang=zh family) ]]; }
has_chromium() { chromium --version || google-chrome --version || chromium-browser --version; }
has_chromedriver() { chromedriver --version || chromium.chromedriver --version; }

is_ubuntu() { grep -q '^ID=ubuntu' /etc/os-release; }

needs_of_demo() {
    need "curl" "type -P curl" curl
    need "root certificates" has_certificates ca-certificates
    need "a C compiler and linker" "type -P cc make" build-essential
    need "pkg-config" "type -P pkg-config" pkg-config
    need "libpq with headers" has_libpq libpq-dev
    need "PostgreSQL $POSTGRES_MINIMUM or newer, server" postgres_binaries postgresql
    need "RabbitMQ, server" rabbitmq_binary rabbitmq-server
    need_else "Node.js $NODE_MINIMUM or newer with npm" node_is_ready node_install "apt or the npm registry"
    need_else "Rust $RUST_MINIMUM or newer" rust_is_ready rust_install "rustup"
}

needs_of_tests() {
    if is_ubuntu; then
        # There both are snaps behind packages.
        need "Chromium" has_chromium chromium-browser
        need "chromedriver" has_chromedriver chromium-chromedriver
    else
        need "Chromium" has_chromium chromium
        need "chromedriver" has_chromedriver chromium-driver
    fi
    need "ps and pgrep" "type -P pgrep" procps
    need "shellcheck" "type -P shellcheck" shellcheck
    need "a Chinese font" has_chinese_font fontconfig fonts-wqy-microhei
    need_else "rustfmt and clippy" rust_checks_are_ready rust_checks_install "rustup"
    need_else "cargo-nextest" "cargo_command_is_ready nextest" "cargo_command_install nextest" "cargo install"
    need_else "cargo-deny" "cargo_command_is_ready deny" "cargo_command_install deny" "cargo install"
}

provision_list() {
    MISSING=()
    MISSING_PACKAGES=()
    MISSING_INSTALLERS=()
    needs_of_demo
    [[ $1 != tests ]] || needs_of_tests
}

# provision demo|tests [--no-install]
provision() {
    local installer
    node_enter
    rust_enter
    provision_list "$1"
    ((${#MISSING[@]} > 0)) || return 0
    say "missing on this machine:"
    printf '      %s\n' "${MISSING[@]}" >&2
    [[ ${2:-} != --no-install ]] || die "nothing was installed (--no-install)"
    if ((${#MISSING_PACKAGES[@]} > 0)); then
        say "installing with apt: ${MISSING_PACKAGES[*]}"
        packages_install "${MISSING_PACKAGES[@]}"
    fi
    for installer in "${MISSING_INSTALLERS[@]}"; do
        say "installing: $installer"
        $installer
    done
    hash -r
    provision_list "$1"
    ((${#MISSING[@]} == 0)) || die "still missing after the installation: ${MISSING[*]}"
    say "everything is installed"
}
