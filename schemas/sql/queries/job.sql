-- name: job_create
-- 1 id, 2 name, 3 kind, 4 spec, 5 tags, 6 priority, 7 max attempts, 8 timeout s, 9 seed, 10 Idempotency-Key or NULL,
-- 11 SHA-256 of the body or NULL, 12 asked again
SELECT c.outcome, j.*
  FROM quern.job_create($1, $2, $3, $4, $5, $6, $7, $8, $9, NULL, $10, $11, $12) c
  LEFT JOIN LATERAL quern.job_read(c.job_id) j ON true

-- name: job_get
-- 1 id
SELECT * FROM quern.job_view WHERE id = $1

-- name: job_list
-- 1 created_at or updated_at, 2 descending, 3 states, 4 name, 5 created from, 6 created to, 7 updated since, 8 tags,
-- 9 and 10: time and id of the row before, 11 limit; 3 to 10 may be NULL
SELECT * FROM quern.job_list($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)

-- name: job_cancel
-- 1 id
SELECT c.outcome, j.*
  FROM quern.job_cancel($1) AS c(outcome)
  LEFT JOIN LATERAL quern.job_read($1) j ON c.outcome IS NOT NULL

-- name: job_retry
-- 1 id, 2 id of the new job
SELECT r.outcome, j.*
  FROM quern.job_retry($1, $2) r
  LEFT JOIN LATERAL quern.job_read(r.job_id) j ON true

-- name: job_delete
-- 1 id
SELECT quern.job_delete($1) AS outcome

-- name: job_counts
-- One row a state that has jobs; due_since: when the job that has waited longest became due.
SELECT state, count(*) AS count,
       coalesce(extract(epoch FROM now() - min(run_at) FILTER (WHERE state = 'queued' AND run_at <= now())), 0)::float8
         AS oldest_s
  FROM quern.job GROUP BY state

-- name: job_sweep_idempotency
-- 1 limit
DELETE FROM quern.idempotency
 WHERE (tenant, route, key) IN (SELECT tenant, route, key FROM quern.idempotency WHERE expires_at < now() LIMIT $1)

-- name: job_sweep_events
SELECT quern.job_event_partitions(), quern.job_event_number()
