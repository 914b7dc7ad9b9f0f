#!/usr/bin/env bash
# The production files name only what exists, and Compose understands them where it is installed.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
faults=0
# In place of an .env that may lie in the clone.
empty=$(mktemp)
trap 'rm -f -- "$empty"' EXIT

fault() {
    echo "$*"
    faults=$((faults + 1))
}

# The file as Compose reads it. Its first generation, which Debian 12 has, knows everything but the project's name.
compose_config() {
    if docker compose version >/dev/null 2>&1; then
        docker compose --env-file "$empty" --profile tls config
    else
        sed '/^name:/d' docker-compose.yml | docker-compose --env-file "$empty" -f - --profile tls config
    fi
}

for file in docker-compose.yml $(sed -nE 's/^ *dockerfile: *//p; s/^ *- (\.\/[^:]+):.*/\1/p' docker-compose.yml | sort -u); do
    [[ -e $file ]] || fault "docker-compose.yml names $file, which does not exist"
done

for dockerfile in docker/*.Dockerfile; do
    while read -r source; do
        [[ -e $source ]] || fault "$dockerfile copies $source, which does not exist"
    done < <(grep -E '^COPY ' "$dockerfile" | grep -v -- '--from=' | awk '{ for (i = 2; i < NF; i++) print $i }')
    grep -qE '^USER [1-9]' "$dockerfile" || fault "$dockerfile lets its services run as root"
done

# Every target that Compose asks for is one that the file has.
while read -r target; do
    grep -qE " AS $target\$" docker/services.Dockerfile || fault "docker/services.Dockerfile has no target $target"
done < <(sed -nE 's/^ *target: *//p' docker-compose.yml | sort -u)

# Every variable that must be set is explained.
while read -r variable; do
    grep -q "^$variable=" docker/env.example || fault "docker/env.example does not explain $variable"
done < <(grep -oE '\$\{[A-Z_]+:\?' docker-compose.yml | tr -cd 'A-Z_\n' | sort -u)

if docker compose version >/dev/null 2>&1 || type -P docker-compose >/dev/null; then
    export POSTGRES_PASSWORD=p RABBITMQ_PASSWORD=r ENCRYPTION_KEY=k PUBLIC_URL=https://frontdesk.example.com
    compose_config >/dev/null || fault "Compose does not understand docker-compose.yml"
    # Nothing may start with an empty secret.
    for variable in POSTGRES_PASSWORD RABBITMQ_PASSWORD ENCRYPTION_KEY; do
        ! (unset "$variable" && compose_config >/dev/null 2>&1) || fault "docker-compose.yml starts without $variable"
    done
else
    echo "Compose is not installed; its own reading of the file was left out"
fi

((faults == 0)) || exit 1
echo "the production files hold together"
