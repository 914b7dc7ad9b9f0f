# shellcheck shell=bash
# Files from the internet, kept only when their digest is the expected one. Needs say.sh.

# download URL FILE
download() { curl --fail --silent --show-error --location --retry 3 --connect-timeout 15 --output "$2" "$1"; }

# download_checked URL FILE SHA512-IN-BASE64, the form in which npm writes digests.
download_checked() {
    download "$1" "$2" || return 1
    echo "$(base64 -d <<<"$3" | od -An -v -tx1 | tr -d ' \n')  $2" | sha512sum --check --quiet >&2 ||
        die "$1 has another digest than the expected one"
}
