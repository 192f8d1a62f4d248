-- name: job_claim
-- 1 owner, 2 token, 3 lease s, 4 asked again
SELECT j.* FROM quern.job_claim($1, $2, $3, $4) AS c(id), LATERAL quern.job_read(c.id) j

-- name: job_heartbeat
-- 1 id, 2 attempt, 3 token, 4 lease s, 5 fraction (NULL: no report), 6 phase, 7 message, 8 rows done, 9 rows in all, 10 eta s,
-- 11 stages, 12 shards, 13 resources. No row: lost.
SELECT cancel FROM quern.job_heartbeat($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)

-- name: job_standing
-- 1 id, 2 attempt, 3 token, 4 wait for a transaction that is ending the attempt
SELECT standing, version FROM quern.job_standing($1, $2, $3, $4)

-- name: job_succeed
-- 1 id, 2 attempt, 3 token, 4 metrics, 5 evaluation, 6 stages, 7 shards, 8 resources, 9 model, 10 version
SELECT quern.job_running_succeeded($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) AS moved

-- name: job_end_attempt
-- 1 id, 2 attempt, 3 token, 4 problem, 5 retryable, 6 interrupted, 7 worker lost, 8 back-off s, 9 worker losses allowed,
-- 10 problem of a crash loop
SELECT quern.job_end_attempt($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) AS state

-- name: job_rescue
-- 1 problem, 2 back-off s, 3 worker losses allowed, 4 problem of a crash loop, 5 limit
SELECT quern.job_rescue($1, $2, $3, $4, $5) AS count

-- name: job_release_owner
-- 1 owner, 2 problem. The attempts of a process that is known to be dead: counted, but due at once and no worker's loss.
WITH dead AS (
  SELECT id, attempt, lease_token FROM quern.job WHERE state = 'running' AND owner = $1 FOR UPDATE SKIP LOCKED
)
SELECT count(quern.job_end_attempt(id, attempt, lease_token, $2, true, false, false, 0, 1, NULL)) AS count FROM dead
