# shellcheck shell=bash
# The Rust toolchain and the cargo commands that the checks need. Needs say.sh, download.sh, node.sh (version_reaches).

RUST_MINIMUM=1.95.0
RUSTUP_SERVER=${RUSTUP_DIST_SERVER:-https://static.rust-lang.org}

rust_is_ready() {
    type -P cargo >/dev/null && type -P rustc >/dev/null &&
        version_reaches "$(rustc --version 2>/dev/null | cut -d' ' -f2)" "$RUST_MINIMUM"
}

# rustup's folder comes first when the cargo in the path is missing or too old.
rust_enter() {
    rust_is_ready && return
    export PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
    rust_is_ready && return
    # rustup is there with an older default; the newest stable was installed beside it.
    type -P rustup >/dev/null && RUSTUP_TOOLCHAIN=stable rust_is_ready && export RUSTUP_TOOLCHAIN=stable
    return 0
}

rust_install() {
    local work triple
    if type -P rustup >/dev/null; then
        rustup toolchain install stable --profile minimal --component clippy,rustfmt >&2 || die "rustup could not install Rust"
    else
        triple=$(uname -m)-unknown-linux-gnu
        work=$(mktemp -d)
        download "$RUSTUP_SERVER/rustup/dist/$triple/rustup-init" "$work/rustup-init" || die "cannot fetch rustup for $triple"
        download "$RUSTUP_SERVER/rustup/dist/$triple/rustup-init.sha256" "$work/digest" || die "cannot fetch the digest of rustup"
        (cd "$work" && echo "$(cut -d' ' -f1 digest)  rustup-init" | sha256sum --check --quiet) || die "rustup has another digest than published"
        chmod +x "$work/rustup-init"
        RUSTUP_INIT_SKIP_PATH_CHECK=yes "$work/rustup-init" -y --no-modify-path --profile minimal \
            --component clippy --component rustfmt --default-toolchain stable >&2 || die "rustup could not install Rust"
        rm -rf -- "$work"
    fi
    hash -r
    rust_enter
}

rust_checks_are_ready() { cargo fmt --version >/dev/null 2>&1 && cargo clippy --version >/dev/null 2>&1; }

rust_checks_install() {
    type -P rustup >/dev/null || die "please install rustfmt and clippy for your cargo: there is no rustup to do it"
    rustup component add clippy rustfmt >&2 || die "rustup could not install clippy and rustfmt"
}

cargo_command_is_ready() { cargo "$1" --version >/dev/null 2>&1; }

cargo_command_install() { cargo install --locked "cargo-$1" >&2 || die "cargo could not install cargo-$1"; }
