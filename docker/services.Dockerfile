# syntax=docker/dockerfile:1
# Both services from one build: targets "ingress" and "dispatcher".

FROM rust:1.95-bookworm AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends libpq-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /frontdesk
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/frontdesk/target \
    cargo build --locked --release -p ingress -p dispatcher \
    && install -D -t /out target/release/ingress target/release/dispatcher

FROM node:22-bookworm-slim AS console
WORKDIR /console
COPY console/package.json console/package-lock.json ./
RUN --mount=type=cache,target=/root/.npm npm ci --no-audit --no-fund
COPY console/ ./
RUN npm run build

FROM debian:bookworm-slim AS runtime
# libpq talks to PostgreSQL, curl is for the health checks.
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates curl libpq5 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin frontdesk
USER 10001:10001

FROM runtime AS ingress
COPY --from=build /out/ingress /usr/local/bin/ingress
ENV INGRESS_LISTEN=0.0.0.0:8035
EXPOSE 8035
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=3 \
    CMD ["curl", "--fail", "--silent", "--output", "/dev/null", "http://127.0.0.1:8035/readyz"]
ENTRYPOINT ["/usr/local/bin/ingress"]

FROM runtime AS dispatcher
COPY --from=build /out/dispatcher /usr/local/bin/dispatcher
COPY --from=console /console/dist /usr/local/share/frontdesk/console
ENV DISPATCHER_LISTEN=0.0.0.0:8036 CONSOLE_DIR=/usr/local/share/frontdesk/console
EXPOSE 8036
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=3 \
    CMD ["curl", "--fail", "--silent", "--output", "/dev/null", "http://127.0.0.1:8036/readyz"]
ENTRYPOINT ["/usr/local/bin/dispatcher"]
CMD ["serve"]
