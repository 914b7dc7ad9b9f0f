# shellcheck shell=bash
# Node.js, new enough for the console's build. Needs say.sh, download.sh, packages.sh.

NODE_MINIMUM=20.19.0
# Pinned with the digests that the registry publishes.
NODE_VERSION=22.23.3
# shellcheck disable=SC2034 # read through its name
NODE_DIGEST_x64='qHnz5tFsHoj/WM+uRENVjWONi5hVvmwrgq8A4V76KpuVNAc4+jwK8x4gwbobE9BtHNg/AKR2583eYorLF/c7ng=='
# shellcheck disable=SC2034 # read through its name
NODE_DIGEST_arm64='l3DAHZreylo+p9QXDtsOrjG2JXJqVzYXnAGmIQNOUNARcMppTO2cmewVQP+36tjJnSE+dzpMNtgW+c3oiDvXtA=='
NPM_VERSION=10.9.9
NPM_DIGEST='1g+6jLQvaIuB4zwvHL7yrXuXcWZwDsCtBX8bbWDqbvJSSr9nPiDDWTHNgwXR27iIcTTW7v3A57hDW9RYv2W4Yg=='
NODE_FOLDER=${XDG_DATA_HOME:-$HOME/.local/share}/frontdesk/node-$NODE_VERSION
NPM_REGISTRY=${NPM_CONFIG_REGISTRY:-https://registry.npmjs.org}

# True when version $1 is at least $2.
version_reaches() { [[ $(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1) == "$2" ]]; }

node_is_ready() {
    type -P node >/dev/null && type -P npm >/dev/null && version_reaches "$(node --version | tr -d v)" "$NODE_MINIMUM"
}

# A Node that an earlier run fetched comes first in the path, when the system's is too old.
node_enter() {
    node_is_ready || [[ ! -x $NODE_FOLDER/bin/node ]] || export PATH="$NODE_FOLDER/bin:$PATH"
}

# Debian 12 and Ubuntu 24.04 have an older Node. The registry that the console's packages come from carries Node's
# own binaries too, so that nothing has to be reached that the build would not reach anyway.
node_install() {
    local machine digest candidate
    candidate=$(packages_candidate nodejs)
    if [[ -n $candidate && $candidate != "(none)" ]] && version_reaches "${candidate%%[+~-]*}" "$NODE_MINIMUM"; then
        packages_install nodejs npm
        return
    fi
    case $(uname -m) in
        x86_64) machine=x64 ;;
        aarch64) machine=arm64 ;;
        *) die "please install Node.js $NODE_MINIMUM or newer by hand: no binary is known for $(uname -m)" ;;
    esac
    digest=NODE_DIGEST_$machine
    node_unpack "$NPM_REGISTRY/node-linux-$machine/-/node-linux-$machine-$NODE_VERSION.tgz" "${!digest}" \
        "$NPM_REGISTRY/npm/-/npm-$NPM_VERSION.tgz"
    node_enter
}

# node_unpack NODE_URL NODE_DIGEST NPM_URL
node_unpack() {
    local work
    work=$(mktemp -d)
    mkdir -p "$work/node/lib/node_modules/npm" "$(dirname "$NODE_FOLDER")"
    download_checked "$1" "$work/node.tgz" "$2" || die "cannot fetch $1"
    download_checked "$3" "$work/npm.tgz" "$NPM_DIGEST" || die "cannot fetch $3"
    tar -xzf "$work/node.tgz" -C "$work/node" --strip-components=1
    tar -xzf "$work/npm.tgz" -C "$work/node/lib/node_modules/npm" --strip-components=1
    ln -s ../lib/node_modules/npm/bin/npm-cli.js "$work/node/bin/npm"
    ln -s ../lib/node_modules/npm/bin/npx-cli.js "$work/node/bin/npx"
    chmod +x "$work/node/lib/node_modules/npm/bin/"*-cli.js
    rm -rf -- "$NODE_FOLDER"
    mv -- "$work/node" "$NODE_FOLDER"
    rm -rf -- "$work"
}
