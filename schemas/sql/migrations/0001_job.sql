-- Jobs: one narrow hot row each; what is read seldom or written once lives beside it, so that the rows the queue works on stay
-- small and dead ones are cheap to sweep.

-- Every visible change of a job takes the next number: its ETag.
CREATE SEQUENCE quern.revision;

CREATE TABLE quern.job (
  id                  uuid PRIMARY KEY,
  state               text NOT NULL CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
  priority            smallint NOT NULL CHECK (priority BETWEEN 1 AND 4),
  attempt             integer NOT NULL DEFAULT 0 CHECK (attempt >= 0),
  max_attempts        integer NOT NULL CHECK (max_attempts >= 1),
  worker_losses       integer NOT NULL DEFAULT 0 CHECK (worker_losses >= 0),
  created_at          timestamptz NOT NULL DEFAULT now(),
  updated_at          timestamptz NOT NULL DEFAULT now(),
  started_at          timestamptz,
  finished_at         timestamptz,
  run_at              timestamptz NOT NULL DEFAULT now(),
  -- run_at plus ten minutes for each priority level below the first: the place in the queue as one time that an index can
  -- hold. A job that has waited ten minutes longer stands one level higher, so ageing costs nothing and nothing starves.
  due_order           timestamptz NOT NULL,
  owner               text,
  -- Kept when an attempt ends, so that its holder can tell its own end from somebody else's.
  lease_token         uuid,
  lease_until         timestamptz,
  cancel_requested_at timestamptz,
  revision            bigint NOT NULL DEFAULT nextval('quern.revision'),
  CONSTRAINT job_running_is_leased
    CHECK (state <> 'running' OR (owner IS NOT NULL AND lease_token IS NOT NULL AND started_at IS NOT NULL)),
  CONSTRAINT job_lease_while_running CHECK ((state = 'running') = (lease_until IS NOT NULL)),
  CONSTRAINT job_final_is_finished
    CHECK ((state IN ('succeeded', 'failed', 'cancelled')) = (finished_at IS NOT NULL))
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500,
        autovacuum_analyze_scale_factor = 0.05);

CREATE INDEX job_queue ON quern.job (due_order, id) WHERE state = 'queued';
CREATE INDEX job_expiry ON quern.job (lease_until) WHERE state = 'running';
CREATE INDEX job_by_creation ON quern.job (created_at, id);
CREATE INDEX job_by_update ON quern.job (updated_at, id);
CREATE INDEX job_by_state ON quern.job (state, created_at, id);

-- json, not jsonb, wherever the text is only stored and shown: bytes and order of keys stay as they came, and \u0000 passes.
CREATE TABLE quern.job_spec (
  job_id    uuid PRIMARY KEY REFERENCES quern.job ON DELETE CASCADE,
  name      text NOT NULL,
  kind      text NOT NULL,
  tags      jsonb NOT NULL CHECK (jsonb_typeof(tags) = 'object'),
  spec      json NOT NULL,
  seed      bigint NOT NULL,
  timeout_s bigint NOT NULL,
  retry_of  uuid
);
CREATE INDEX job_spec_by_name ON quern.job_spec (name);
CREATE INDEX job_spec_by_tags ON quern.job_spec USING gin (tags jsonb_path_ops);

-- Where the current attempt is. No row: nothing reported yet.
CREATE TABLE quern.job_progress (
  job_id     uuid PRIMARY KEY REFERENCES quern.job ON DELETE CASCADE,
  fraction   double precision NOT NULL CHECK (fraction BETWEEN 0 AND 1),
  phase      text,
  message    text,
  rows_done  bigint NOT NULL,
  rows_total bigint NOT NULL,
  eta_s      double precision,
  stages     json,
  shards     json,
  resources  json
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);

-- What came of the job, written with its final state.
CREATE TABLE quern.job_result (
  job_id        uuid PRIMARY KEY REFERENCES quern.job ON DELETE CASCADE,
  metrics       json,
  evaluation    json,
  model_name    text,
  model_version integer,
  error         json
);

-- Answers given to an Idempotency-Key, for as long as the key counts.
CREATE TABLE quern.idempotency (
  tenant     text NOT NULL,
  route      text NOT NULL,
  key        text NOT NULL,
  body_hash  bytea NOT NULL CHECK (octet_length(body_hash) = 32),
  job_id     uuid NOT NULL REFERENCES quern.job ON DELETE CASCADE,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, route, key)
);
CREATE INDEX idempotency_by_job ON quern.idempotency (job_id);
CREATE INDEX idempotency_by_expiry ON quern.idempotency (expires_at);

-- A job as the API shows it. The store reads columns by name; new ones go to the end.
CREATE VIEW quern.job_view AS
SELECT j.id, s.name, s.kind, j.state, j.attempt, j.max_attempts, j.worker_losses, j.priority, s.tags, s.spec,
       j.created_at, j.started_at, j.finished_at, j.updated_at, j.run_at,
       j.cancel_requested_at IS NOT NULL AS cancel_requested,
       coalesce(p.fraction, 0) AS fraction, p.phase, p.message, p.rows_done, p.rows_total, p.eta_s, p.stages, p.shards, p.resources,
       r.metrics, r.evaluation, r.model_name, r.model_version, r.error,
       s.seed, j.revision
  FROM quern.job j
  JOIN quern.job_spec s ON s.job_id = j.id
  LEFT JOIN quern.job_progress p ON p.job_id = j.id
  LEFT JOIN quern.job_result r ON r.job_id = j.id;

-- Volatile on purpose: called beside a function that has just changed the job, it sees the change.
CREATE FUNCTION quern.job_read(p_id uuid) RETURNS SETOF quern.job_view
LANGUAGE plpgsql VOLATILE ROWS 1 AS $$
BEGIN
  RETURN QUERY SELECT * FROM quern.job_view WHERE id = p_id;
END $$;
