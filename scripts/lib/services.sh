# shellcheck shell=bash
# PostgreSQL and RabbitMQ for one run: the ones that DATABASE_URL and AMQP_URL name, otherwise private ones.

for noun in say port process state postgres rabbitmq; do
    # shellcheck source=/dev/null
    source "$ROOT/scripts/lib/$noun.sh"
done

# services_start needs a STATE_DIR; exports the addresses for the services and for the tests. The broker takes longest,
# so that it starts while the database is being made.
services_start() {
    [[ -n ${AMQP_URL:-} ]] || rabbitmq_begin "$STATE_DIR"
    if [[ -n ${DATABASE_URL:-} ]]; then
        note "PostgreSQL: the one that DATABASE_URL names"
    else
        postgres_start "$STATE_DIR"
        export DATABASE_URL=$POSTGRES_URL
    fi
    if [[ -n ${AMQP_URL:-} ]]; then
        note "RabbitMQ: the one that AMQP_URL names"
    else
        rabbitmq_await "$STATE_DIR"
        export AMQP_URL=$RABBITMQ_URL
    fi
    export FRONTDESK_TEST_DATABASE_URL=$DATABASE_URL FRONTDESK_TEST_AMQP_URL=$AMQP_URL
}

services_stop() {
    rabbitmq_stop
    postgres_stop
}
