#!/usr/bin/env bash
# apt-get install as root, leaving the services of the machine as they are: what runs keeps running, what is new
# neither starts now nor at the next boot, and PostgreSQL makes no cluster. Called by packages.sh.
set -euo pipefail

POLICY=/usr/sbin/policy-rc.d
CLUSTERS=/etc/postgresql-common/createcluster.conf
export DEBIAN_FRONTEND=noninteractive
kept=$(mktemp -d)
units_before=
clusters_changed=

put_back() {
    if [[ -e $kept/policy-rc.d ]]; then
        mv -f -- "$kept/policy-rc.d" "$POLICY"
    elif [[ -e $kept/policy-changed ]]; then
        rm -f -- "$POLICY"
    fi
    if [[ -n $clusters_changed ]]; then
        cp -p -- "$kept/createcluster.conf" "$CLUSTERS"
    fi
    rm -rf -- "$kept"
}
trap put_back EXIT
trap 'exit 130' INT TERM HUP

# While this file says 101, no package may start or restart a service.
forbid_starts() {
    [[ ! -e $POLICY ]] || cp -p -- "$POLICY" "$kept/policy-rc.d"
    touch "$kept/policy-changed"
    printf '#!/bin/sh\nexit 101\n' >"$POLICY"
    chmod 755 "$POLICY"
}

forbid_clusters() {
    [[ -e $CLUSTERS ]] || return 0
    cp -p -- "$CLUSTERS" "$kept/createcluster.conf"
    clusters_changed=yes
    printf '\ncreate_main_cluster = false\n' >>"$CLUSTERS"
}

list_units() {
    local folder
    for folder in /lib/systemd/system /usr/lib/systemd/system /etc/init.d; do
        [[ -d $folder ]] && find "$folder" -maxdepth 1 \( -name 'rabbitmq-server*' -o -name 'epmd*' -o -name 'postgresql*' \) -printf '%f\n'
    done | grep -v '@' | sort -u
}

# Packages enable what they bring for the next boot; we only wanted the programs.
disable_new_units() {
    local unit
    while read -r unit; do
        [[ -n $unit ]] || continue
        if [[ $unit != *.* ]]; then
            update-rc.d "$unit" disable >/dev/null 2>&1 || true
        elif type -P systemctl >/dev/null; then
            systemctl disable "$unit" >/dev/null 2>&1 || true
        else
            # Without systemd the packages make its links all the same, for the day when it arrives.
            find /etc/systemd/system -path "*.wants/$unit" -type l -delete
        fi
    done < <(comm -13 <(echo "$units_before") <(list_units))
}

install() { apt-get -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 -q -y --no-install-recommends install "$@" >&2; }

units_before=$(list_units || true)
forbid_starts
apt-get -o DPkg::Lock::Timeout=300 -q update >&2
if [[ " $* " == *" postgresql "* ]]; then
    # Brings the file that says whether a server package makes a cluster.
    install postgresql-common
    forbid_clusters
fi
install "$@"
disable_new_units
