# shellcheck shell=bash
# Packages of the distribution, installed so that no system service starts and no database cluster is made.
# Needs say.sh.

# Debian 12 and 13 and Ubuntu 24.04 are tried; others with apt may well do.
packages_supported() {
    local ID='' VERSION_ID='' VERSION_CODENAME=''
    type -P apt-get >/dev/null || return 1
    # shellcheck source=/dev/null
    source /etc/os-release
    case $ID:$VERSION_ID in
        debian:12 | debian:13 | ubuntu:24.04) ;;
        *) warn "tried on Debian 12 and 13 and Ubuntu 24.04, not on $ID ${VERSION_ID:-$VERSION_CODENAME}" ;;
    esac
}

as_root() {
    if ((EUID == 0)); then "$@"; else sudo -- "$@"; fi
}

# True when this user may become root. Asks for the password at most once, and only on a terminal.
may_become_root() {
    ((EUID == 0)) && return
    type -P sudo >/dev/null || return 1
    sudo -n true 2>/dev/null && return
    [[ -t 0 ]] && sudo -v
}

# packages_install PACKAGE...
packages_install() {
    packages_supported || die "no apt-get here: please install by hand: $*"
    may_become_root || die "root or sudo is needed to install: $*"
    as_root bash "$ROOT/scripts/lib/quiet-apt.sh" "$@" || die "apt could not install: $*"
}

# packages_candidate PACKAGE prints the version that apt would install.
packages_candidate() { apt-cache policy "$1" 2>/dev/null | sed -n 's/^ *Candidate: //p'; }
