-- Enough rows for the planner to know better than to scan.
INSERT INTO event_log (stream, version, type, schema_version, payload, metadata, audience, visitor, occurred_at)
SELECT 'conversation:' || md5(n::text)::uuid, 1, 'opened', 1, '{}', '{}', '{}', md5(n::text)::uuid, now() FROM generate_series(1, 20000) n;
INSERT INTO streams (stream, kind, visitor, version, state, state_version, live)
SELECT 'conversation:' || md5(n::text)::uuid, 'conversation', md5(n::text)::uuid, 1, '{}', 1, n % 10 = 0 FROM generate_series(1, 20000) n;
INSERT INTO visitor (id, page_id, identity, data_key, party)
SELECT md5(n::text)::uuid, '1', decode(md5(n::text), 'hex'), '', '' FROM generate_series(1, 20000) n;
INSERT INTO inbox (key) SELECT decode(md5(n::text), 'hex') FROM generate_series(1, 20000) n;
INSERT INTO lane (visitor, class, page_id, head_due, busy)
SELECT md5(n::text)::uuid, 'message', '1', now() + n * interval '1 second', n % 2 = 0 FROM generate_series(1, 20000) n;
INSERT INTO outbox (id, visitor, class, page_id, kind, conversation, body, state, attempt, due, relay, leased_until)
SELECT md5(n::text)::uuid, md5(n::text)::uuid, 'message', '1', 'once', md5(n::text)::uuid, '', 'claimed', 1, now(), md5((n % 50)::text)::uuid,
       now() + n * interval '1 second' FROM generate_series(1, 20000) n;
INSERT INTO conversation (id, visitor, channel, page_id, skill_group, phase, agent, opened_at, waiting_since, last_activity_at, closed_at,
                          unanswered, version)
SELECT md5(n::text)::uuid, md5(n::text)::uuid, md5('c')::uuid, '1', md5((n % 20)::text)::uuid,
       CASE WHEN n % 10 = 0 THEN 'waiting' WHEN n % 10 = 1 THEN 'with_agent' ELSE 'closed' END,
       CASE WHEN n % 10 = 1 THEN md5((n % 100)::text)::uuid END,
       now(), now() - n * interval '1 second', now() - n * interval '1 second', now() - n * interval '1 second', false, 1
FROM generate_series(1, 20000) n;
INSERT INTO timeline_item (id, visitor, conversation, at, kind, direction, author_kind, attachments, buttons, mid, late)
SELECT md5(n::text)::uuid, md5((n % 500)::text)::uuid, md5((n % 500)::text)::uuid, now() - n * interval '1 second', 'message', 'in', 'visitor',
       '[]', '[]', 'm_' || n, false FROM generate_series(1, 20000) n;
INSERT INTO quarantine (id, kind, reason, page_id, envelope, body, at)
SELECT md5(n::text)::uuid, 'unknown_page', '', n::text, '', '', now() FROM generate_series(1, 20000) n;
INSERT INTO channel (id, page_id, app_id, name, skill_group, work_mode, enabled, language, texts, secrets, version)
SELECT md5(n::text)::uuid, n::text, md5('a')::uuid, '', md5('g')::uuid, 'bot_first', true, 'zh', '{}', '', 1 FROM generate_series(1, 50) n;
ANALYZE;
