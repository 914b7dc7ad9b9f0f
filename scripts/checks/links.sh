#!/usr/bin/env bash
# No page sends its reader nowhere: every relative link of a Markdown file leads to something that is there.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
faults=0

while IFS= read -r page; do
    while IFS= read -r target; do
        target=${target%%#*}
        [[ -n $target && ! $target =~ ^[a-z]+: ]] || continue
        if [[ ! -e $(dirname "$page")/$target ]]; then
            echo "$page links to $target, which is not there"
            faults=$((faults + 1))
        fi
    done < <(grep -oE '\]\([^) ]+\)' "$page" | sed 's/^](//; s/)$//')
done < <(find . \( -name target -o -name node_modules -o -name .demo \) -prune -o -name '*.md' -print)

((faults == 0)) || exit 1
echo "every link leads somewhere"
