-- What happened to jobs, append-only, numbered in commit order: a reader who has seen seq n will never find a lower one later.
--
-- A plain sequence cannot promise that, and a counter locked until commit would make every writer wait for the others' fsync.
-- So writers drop events into an inbox, unordered and without a lock; whoever reads moves them to the log first and numbers
-- them under the lock of the one-row head. Only readers wait for readers.

CREATE TABLE quern.job_event_inbox (
  id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  job_id uuid NOT NULL,
  type   text NOT NULL CHECK (type IN ('state', 'progress', 'metric', 'log')),
  data   json NOT NULL,
  at     timestamptz NOT NULL DEFAULT now()
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
CREATE INDEX job_event_inbox_by_job ON quern.job_event_inbox (job_id);

CREATE TABLE quern.job_event_head (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  seq bigint NOT NULL
) WITH (fillfactor = 10);
INSERT INTO quern.job_event_head (seq) VALUES (0);

-- A partition a month, so that old history is dropped, never deleted row by row.
CREATE TABLE quern.job_event (
  seq         bigint NOT NULL,
  job_id      uuid NOT NULL,
  type        text NOT NULL,
  data        json NOT NULL,
  at          timestamptz NOT NULL,
  numbered_at timestamptz NOT NULL,
  PRIMARY KEY (seq, numbered_at)
) PARTITION BY RANGE (numbered_at);
CREATE INDEX job_event_by_job ON quern.job_event (job_id, seq);
CREATE TABLE quern.job_event_default PARTITION OF quern.job_event DEFAULT;

-- Makes the partitions of this month and the next. A month whose rows already lie in the default partition stays there.
CREATE FUNCTION quern.job_event_partitions() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_from timestamptz;
  v_to   timestamptz;
  v_name text;
BEGIN
  FOR i IN 0..1 LOOP
    v_from := date_trunc('month', (now() AT TIME ZONE 'UTC') + make_interval(months => i)) AT TIME ZONE 'UTC';
    v_to := date_trunc('month', (now() AT TIME ZONE 'UTC') + make_interval(months => i + 1)) AT TIME ZONE 'UTC';
    v_name := 'job_event_' || to_char(v_from AT TIME ZONE 'UTC', 'YYYY_MM');
    CONTINUE WHEN to_regclass('quern.' || v_name) IS NOT NULL
      OR EXISTS (SELECT FROM quern.job_event_default WHERE numbered_at >= v_from AND numbered_at < v_to);
    -- LIKE and ATTACH instead of PARTITION OF: readers of the log are not locked out.
    EXECUTE format('CREATE TABLE quern.%I (LIKE quern.job_event INCLUDING ALL)', v_name);
    EXECUTE format('ALTER TABLE quern.job_event ATTACH PARTITION quern.%I FOR VALUES FROM (%L) TO (%L)',
                   v_name, v_from, v_to);
  END LOOP;
END $$;
SELECT quern.job_event_partitions();

CREATE FUNCTION quern.job_note(p_id uuid, p_type text, p_data json) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO quern.job_event_inbox (job_id, type, data) VALUES (p_id, p_type, p_data);
END $$;

CREATE FUNCTION quern.job_event_number() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM quern.job_event_inbox ORDER BY id LIMIT 1) THEN
    RETURN;
  END IF;
  PERFORM FROM quern.job_event_head FOR UPDATE;
  WITH taken AS (
    DELETE FROM quern.job_event_inbox
     WHERE id IN (SELECT id FROM quern.job_event_inbox ORDER BY id LIMIT 10000)
    RETURNING id, job_id, type, data, at
  ), logged AS (
    INSERT INTO quern.job_event (seq, job_id, type, data, at, numbered_at)
    SELECT h.seq + row_number() OVER (ORDER BY t.id), t.job_id, t.type, t.data, t.at, now()
      FROM taken t, quern.job_event_head h
    RETURNING seq
  )
  UPDATE quern.job_event_head h SET seq = l.seq FROM (SELECT max(seq) AS seq FROM logged) l WHERE l.seq IS NOT NULL;
END $$;

CREATE FUNCTION quern.job_events_after(p_id uuid, p_seq bigint, p_limit bigint)
RETURNS TABLE (seq bigint, type text, data json, at timestamptz) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM quern.job_event_number();
  RETURN QUERY SELECT e.seq, e.type, e.data, e.at FROM quern.job_event e
                WHERE e.job_id = p_id AND e.seq > p_seq ORDER BY e.seq LIMIT p_limit;
END $$;

-- The last p_tail log events, oldest first.
CREATE FUNCTION quern.job_log(p_id uuid, p_tail bigint) RETURNS TABLE (data json) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM quern.job_event_number();
  RETURN QUERY SELECT t.data
                 FROM (SELECT e.seq, e.data FROM quern.job_event e
                        WHERE e.job_id = p_id AND e.type = 'log' ORDER BY e.seq DESC LIMIT p_tail) t
                ORDER BY t.seq;
END $$;
