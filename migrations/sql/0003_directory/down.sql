DROP TABLE agent;
DROP TABLE person;
DROP TABLE skill_group;
DROP TABLE bot;
DROP TABLE channel;
DROP TABLE page_alias;
DROP TABLE app;
