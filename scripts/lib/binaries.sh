# shellcheck shell=bash
# The Rust binaries of the demo, built with the development profile so that tests and demo share one target folder.

# shellcheck disable=SC2034 # read by demo.sh
BINARIES_DIR=${CARGO_TARGET_DIR:-$ROOT/target}/debug

binaries_build() {
    (cd "$ROOT" && cargo build --locked -p ingress -p dispatcher -p tests --bins)
}
