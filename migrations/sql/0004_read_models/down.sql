DROP TABLE timeline_item;
DROP TABLE conversation;
