DROP TABLE idempotency;
DROP TABLE lease;
DROP TABLE quarantine;
DROP TABLE page_gate;
DROP TABLE lane;
DROP TABLE outbox;
DROP TABLE inbox;
