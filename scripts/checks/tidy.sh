#!/usr/bin/env bash
# House rules that no compiler knows: small files, no rooms for odds and ends, nothing left to do.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
MOST_LINES=600
faults=0

fault() {
    echo "$*"
    faults=$((faults + 1))
}

# Every file that belongs to the repository, also before it is committed; without git, everything that is not built.
list_files() {
    if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
        git ls-files --cached --others --exclude-standard
    else
        find . \( -name target -o -name node_modules -o -name dist -o -name .demo \) -prune -o -type f -printf '%P\n'
    fi
}

is_source() { [[ $1 =~ \.(rs|ts|tsx|js|mjs|css|sh|sql)$ || $1 == scripts/* ]]; }
is_generated() { [[ $1 == *schema.d.ts || $1 == *.lock || $1 == *package-lock.json ]]; }

check_length() {
    local lines
    lines=$(wc -l <"$1")
    ((lines <= MOST_LINES)) || fault "$1 has $lines lines; a file is one noun and has at most $MOST_LINES"
}

check_words() {
    local found
    found=$(grep -nE '\b(TODO|FIXME|XXX|HACK)\b|\b(todo|unimplemented)!|\bdbg!' "$1" || true)
    [[ -z $found ]] || fault "$1 says that it is not finished: $found"
    found=$(grep -nE '^(<{7}|>{7}) ' "$1" || true)
    [[ -z $found ]] || fault "$1 holds an unresolved merge: $found"
}

# A folder's opening file says what it is for.
check_opening() {
    [[ $(head -c 3 "$1") == '//!' ]] || fault "$1 does not open with what it is for (//!)"
}

while IFS= read -r file; do
    [[ -f $file ]] || continue
    if [[ $file =~ (^|/)(utils?|helpers?|commons?|managers?|misc)(\.[a-z]+)?(/|$) ]]; then
        fault "$file: a file is one noun; there is no room for odds and ends"
    fi
    if ! is_source "$file" || is_generated "$file"; then continue; fi
    check_length "$file"
    [[ $file == scripts/checks/tidy.sh ]] || check_words "$file"
    [[ ! $file =~ (^|/)src/(.*/)?(mod|lib|main)\.rs$ ]] || check_opening "$file"
done < <(list_files)

((faults == 0)) || exit 1
echo "tidy"
