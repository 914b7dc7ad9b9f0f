DROP TABLE log_epoch;
DROP TABLE service_key;
DROP TABLE visitor;
DROP TABLE streams;
DROP TABLE event_log;
