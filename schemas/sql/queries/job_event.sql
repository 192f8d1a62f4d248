-- name: job_events_add
-- 1 id, 2 attempt, 3 token, 4 types, 5 data, 6 times (NULL: now). Nothing is added once the attempt has lost its lease.
INSERT INTO quern.job_event_inbox (job_id, type, data, at)
SELECT $1, e.type, e.data::json, coalesce(e.at, now())
  FROM unnest($4::text[], $5::text[], $6::timestamptz[]) WITH ORDINALITY AS e(type, data, at, n)
 WHERE EXISTS (SELECT FROM quern.job WHERE id = $1 AND attempt = $2 AND lease_token = $3 AND state = 'running')
 ORDER BY e.n

-- name: job_events_after
-- 1 id, 2 seq, 3 limit
SELECT seq, type, data, at FROM quern.job_events_after($1, $2, $3)

-- name: job_log
-- 1 id, 2 how many lines
SELECT data FROM quern.job_log($1, $2)
