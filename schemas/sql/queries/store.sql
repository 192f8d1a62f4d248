-- name: store_ping
SELECT 1

-- name: migrate_lock
-- Held until the transaction ends: one process migrates, the others find the work done.
SELECT pg_advisory_xact_lock(hashtextextended('quern.migration', 0))

-- name: migrate_bootstrap
-- The schema may have been made for us by somebody with more rights.
DO $$
BEGIN
  IF to_regnamespace('quern') IS NULL THEN
    CREATE SCHEMA quern;
  END IF;
  CREATE TABLE IF NOT EXISTS quern.migration (
    version    integer PRIMARY KEY,
    name       text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
  );
END $$

-- name: migrate_known
SELECT to_regclass('quern.migration') IS NOT NULL AS known

-- name: migrate_version
SELECT coalesce(max(version), 0) AS version FROM quern.migration

-- name: migrate_applied
-- 1 version, 2 name
INSERT INTO quern.migration (version, name) VALUES ($1, $2)

-- name: store_session
-- 1 statement timeout in ms. Plans compiled to machine code cost more than our statements; a commit is a commit.
SELECT set_config('statement_timeout', $1, false),
       set_config('idle_in_transaction_session_timeout', $1, false),
       set_config('jit', 'off', false),
       set_config('synchronous_commit', replace(replace(current_setting('synchronous_commit'), 'off', 'on'), 'local', 'on'),
                  false)
