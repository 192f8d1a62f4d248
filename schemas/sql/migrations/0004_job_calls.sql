-- What the store asks of jobs, above the edges: each call is one statement, so one round trip and one transaction.

-- outcome: created | existing (the key was used with this body) | mismatch (with another) | in_flight.
-- Called again with the same id it answers `created` again: that is how a commit whose answer was lost is resolved.
-- p_again: this is such a second call; it waits for a first one that is still under way.
CREATE FUNCTION quern.job_create(p_id uuid, p_name text, p_kind text, p_spec json, p_tags jsonb, p_priority integer,
                                 p_max_attempts integer, p_timeout_s bigint, p_seed bigint, p_retry_of uuid,
                                 p_key text, p_body_hash bytea, p_again boolean,
                                 OUT outcome text, OUT job_id uuid) LANGUAGE plpgsql AS $$
DECLARE
  v_route CONSTANT text := 'POST /jobs';
  v_lock  bigint;
  v_seen  quern.idempotency;
BEGIN
  outcome := 'created';
  job_id := p_id;
  IF p_key IS NOT NULL THEN
    v_lock := hashtextextended(v_route || p_key, 0);
    IF p_again THEN
      PERFORM pg_advisory_xact_lock(v_lock);
    ELSIF NOT pg_try_advisory_xact_lock(v_lock) THEN
      outcome := 'in_flight';
      RETURN;
    END IF;
    SELECT * INTO v_seen FROM quern.idempotency i WHERE i.tenant = '' AND i.route = v_route AND i.key = p_key;
    IF v_seen.expires_at > now() THEN
      job_id := v_seen.job_id;
      IF v_seen.body_hash <> p_body_hash THEN
        outcome := 'mismatch';
      ELSIF v_seen.job_id <> p_id THEN
        outcome := 'existing';
      END IF;
      RETURN;
    END IF;
  END IF;

  -- NOTIFY serialises commits, and schedulers that find work look for more by themselves: only a queue that was empty wakes them.
  IF NOT EXISTS (SELECT FROM quern.job j WHERE j.state = 'queued' AND j.run_at <= now()) THEN
    PERFORM pg_notify('quern_jobs', p_id::text);
  END IF;
  INSERT INTO quern.job (id, state, priority, max_attempts, due_order)
  VALUES (p_id, 'queued', p_priority, p_max_attempts, quern.job_due_order(now(), p_priority))
  ON CONFLICT (id) DO NOTHING;
  IF NOT FOUND THEN RETURN; END IF;
  INSERT INTO quern.job_spec (job_id, name, kind, tags, spec, seed, timeout_s, retry_of)
  VALUES (p_id, p_name, p_kind, p_tags, p_spec, p_seed, p_timeout_s, p_retry_of);
  IF p_key IS NOT NULL THEN
    INSERT INTO quern.idempotency AS i (tenant, route, key, body_hash, job_id, expires_at)
    VALUES ('', v_route, p_key, p_body_hash, p_id, now() + interval '24 hours')
    ON CONFLICT (tenant, route, key)
    DO UPDATE SET body_hash = excluded.body_hash, job_id = excluded.job_id, expires_at = excluded.expires_at;
  END IF;
  PERFORM quern.job_note(p_id, 'state', json_build_object('state', 'queued'));
END $$;

-- outcome: the state that was found, NULL: no such job. Only failed and cancelled jobs are run again, as p_new_id.
CREATE FUNCTION quern.job_retry(p_id uuid, p_new_id uuid, OUT outcome text, OUT job_id uuid) LANGUAGE plpgsql AS $$
DECLARE
  j quern.job;
  s quern.job_spec;
BEGIN
  SELECT * INTO j FROM quern.job WHERE id = p_id;
  outcome := j.state;
  IF outcome IN ('failed', 'cancelled') THEN
    SELECT * INTO s FROM quern.job_spec t WHERE t.job_id = p_id;
    SELECT c.job_id INTO job_id
      FROM quern.job_create(p_new_id, s.name, s.kind, s.spec, s.tags, j.priority, j.max_attempts, s.timeout_s, s.seed, p_id,
                            NULL, NULL, false) c;
  END IF;
END $$;

-- A queued job is cancelled here and now, a running one is flagged for its holder. outcome: the state afterwards, NULL: no job.
CREATE FUNCTION quern.job_cancel(p_id uuid) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  j quern.job;
BEGIN
  SELECT * INTO j FROM quern.job WHERE id = p_id FOR UPDATE;
  IF j.state = 'queued' THEN
    PERFORM quern.job_queued_cancelled(p_id);
    j.state := 'cancelled';
  ELSIF j.state = 'running' AND j.cancel_requested_at IS NULL THEN
    UPDATE quern.job SET cancel_requested_at = now(), updated_at = now(), revision = nextval('quern.revision')
     WHERE id = p_id;
    PERFORM pg_notify('quern_jobs', p_id::text);
  END IF;
  RETURN j.state;
END $$;

-- outcome: the state that was found, NULL: no such job. Only jobs that have ended go; the models they made stay.
CREATE FUNCTION quern.job_delete(p_id uuid) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  v_state text;
BEGIN
  SELECT state INTO v_state FROM quern.job WHERE id = p_id FOR UPDATE;
  IF v_state IN ('succeeded', 'failed', 'cancelled') THEN
    DELETE FROM quern.job WHERE id = p_id;
    DELETE FROM quern.job_event_inbox WHERE job_id = p_id;
    DELETE FROM quern.job_event WHERE job_id = p_id;
  END IF;
  RETURN v_state;
END $$;

-- The next due job, or NULL. p_token names the attempt for good: called again with the same one it answers the same job.
CREATE FUNCTION quern.job_claim(p_owner text, p_token uuid, p_lease_s integer, p_again boolean) RETURNS uuid
LANGUAGE plpgsql AS $$
DECLARE
  v_id uuid;
BEGIN
  IF p_again THEN
    SELECT id INTO v_id FROM quern.job WHERE state = 'running' AND lease_token = p_token;
    IF FOUND THEN RETURN v_id; END IF;
  END IF;
  SELECT id INTO v_id FROM quern.job
   WHERE state = 'queued' AND run_at <= now()
   ORDER BY due_order, id LIMIT 1
     FOR UPDATE SKIP LOCKED;
  IF FOUND THEN
    PERFORM quern.job_queued_running(v_id, p_owner, p_token, p_lease_s);
  END IF;
  RETURN v_id;
END $$;

-- Stores progress; json that is NULL keeps what is there. True when anything visible changed.
CREATE FUNCTION quern.job_report(p_id uuid, p_fraction double precision, p_phase text, p_message text, p_rows_done bigint,
                                 p_rows_total bigint, p_eta_s double precision, p_stages json, p_shards json,
                                 p_resources json) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO quern.job_progress AS p
  VALUES (p_id, p_fraction, p_phase, p_message, p_rows_done, p_rows_total, p_eta_s, p_stages, p_shards, p_resources)
  ON CONFLICT (job_id) DO UPDATE
     SET fraction = excluded.fraction, phase = excluded.phase, message = excluded.message,
         rows_done = excluded.rows_done, rows_total = excluded.rows_total, eta_s = excluded.eta_s,
         stages = coalesce(excluded.stages, p.stages), shards = coalesce(excluded.shards, p.shards),
         resources = coalesce(excluded.resources, p.resources)
   WHERE (p.fraction, p.phase, p.message, p.rows_done, p.rows_total, p.eta_s,
          p.stages::text, p.shards::text, p.resources::text)
      IS DISTINCT FROM
         (excluded.fraction, excluded.phase, excluded.message, excluded.rows_done, excluded.rows_total, excluded.eta_s,
          coalesce(excluded.stages, p.stages)::text, coalesce(excluded.shards, p.shards)::text,
          coalesce(excluded.resources, p.resources)::text);
  RETURN FOUND;
END $$;

-- Extends the lease; no row: lost. p_fraction NULL: nothing to report. Only what people can see moves the ETag.
CREATE FUNCTION quern.job_heartbeat(p_id uuid, p_attempt integer, p_token uuid, p_lease_s integer,
                                    p_fraction double precision, p_phase text, p_message text, p_rows_done bigint,
                                    p_rows_total bigint, p_eta_s double precision, p_stages json, p_shards json,
                                    p_resources json) RETURNS TABLE (cancel boolean) LANGUAGE plpgsql AS $$
DECLARE
  v_changed boolean := false;
BEGIN
  PERFORM FROM quern.job
    WHERE id = p_id AND attempt = p_attempt AND lease_token = p_token AND state = 'running' FOR UPDATE;
  IF NOT FOUND THEN RETURN; END IF;
  IF p_fraction IS NOT NULL THEN
    v_changed := quern.job_report(p_id, p_fraction, p_phase, p_message, p_rows_done, p_rows_total, p_eta_s,
                                  p_stages, p_shards, p_resources);
  END IF;
  RETURN QUERY
  UPDATE quern.job
     SET lease_until = now() + make_interval(secs => p_lease_s),
         updated_at = CASE WHEN v_changed THEN now() ELSE updated_at END,
         revision = CASE WHEN v_changed THEN nextval('quern.revision') ELSE revision END
   WHERE id = p_id
  RETURNING cancel_requested_at IS NOT NULL;
END $$;

-- How an attempt stands for the holder of p_token: held | cancel (held, but the job shall be cancelled) | the state the attempt
-- was ended with | NULL: lost to another attempt. p_wait: until a transaction that is ending it has ended itself.
CREATE FUNCTION quern.job_standing(p_id uuid, p_attempt integer, p_token uuid, p_wait boolean,
                                   OUT standing text, OUT version integer) LANGUAGE plpgsql AS $$
DECLARE
  j quern.job;
BEGIN
  IF p_wait THEN
    SELECT * INTO j FROM quern.job WHERE id = p_id AND lease_token = p_token FOR UPDATE;
  ELSE
    SELECT * INTO j FROM quern.job WHERE id = p_id AND lease_token = p_token;
  END IF;
  standing := CASE WHEN j.state <> 'running' THEN j.state
                   WHEN j.attempt <> p_attempt THEN NULL
                   WHEN j.cancel_requested_at IS NOT NULL THEN 'cancel'
                   WHEN j.state IS NOT NULL THEN 'held' END;
  SELECT model_version INTO version FROM quern.job_result WHERE job_id = p_id;
END $$;

-- 10 s, 20 s, 40 s … up to 15 min for p_base_s = 10, spread by 20 % so that jobs that failed together do not return together.
CREATE FUNCTION quern.job_backoff(p_base_s integer, p_attempt integer) RETURNS interval LANGUAGE sql VOLATILE AS $$
  SELECT make_interval(secs => least(p_base_s * 2.0 ^ least(p_attempt - 1, 30), 900) * (0.8 + 0.4 * random()))
$$;

-- Ends an attempt by the edge that fits. Answers the state the job went to, or has since this attempt ended; NULL: lost.
CREATE FUNCTION quern.job_end_attempt(p_id uuid, p_attempt integer, p_token uuid, p_problem json, p_retryable boolean,
                                      p_interrupted boolean, p_worker_lost boolean, p_backoff_s integer,
                                      p_max_worker_losses integer, p_crash_loop json) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  v_standing text := (quern.job_standing(p_id, p_attempt, p_token, true)).standing;
  j          quern.job;
BEGIN
  IF v_standing = 'cancel' THEN
    PERFORM quern.job_running_cancelled(p_id, p_attempt, p_token);
    RETURN 'cancelled';
  ELSIF v_standing IS DISTINCT FROM 'held' THEN
    RETURN v_standing;
  END IF;
  SELECT * INTO j FROM quern.job WHERE id = p_id;
  IF p_interrupted THEN
    PERFORM quern.job_running_queued(p_id, p_attempt, p_token, interval '0', false, false, p_problem);
    RETURN 'queued';
  ELSIF p_worker_lost AND j.worker_losses + 1 >= p_max_worker_losses THEN
    PERFORM quern.job_running_failed(p_id, p_attempt, p_token, true, p_crash_loop);
    RETURN 'failed';
  ELSIF p_retryable AND p_attempt < j.max_attempts THEN
    PERFORM quern.job_running_queued(p_id, p_attempt, p_token, quern.job_backoff(p_backoff_s, p_attempt), true,
                                     p_worker_lost, p_problem);
    RETURN 'queued';
  END IF;
  PERFORM quern.job_running_failed(p_id, p_attempt, p_token, p_worker_lost, p_problem);
  RETURN 'failed';
END $$;

-- Ends attempts whose lease ran out, at most p_limit. The row is locked and its lease looked at again before anything moves.
CREATE FUNCTION quern.job_rescue(p_problem json, p_backoff_s integer, p_max_worker_losses integer, p_crash_loop json,
                                 p_limit bigint) RETURNS bigint LANGUAGE sql AS $$
  WITH expired AS (
    SELECT id, attempt, lease_token FROM quern.job
     WHERE state = 'running' AND lease_until < now()
     ORDER BY lease_until LIMIT p_limit
       FOR UPDATE SKIP LOCKED
  )
  SELECT count(quern.job_end_attempt(id, attempt, lease_token, p_problem, true, false, true, p_backoff_s,
                                     p_max_worker_losses, p_crash_loop))
    FROM expired
$$;

-- Jobs by filters that may each be NULL, in the order of p_by (created_at or updated_at), from behind the row (p_at, p_id) on.
-- Composed, so that every page is planned for the filters it has.
CREATE FUNCTION quern.job_list(p_by text, p_descending boolean, p_states text[], p_name text, p_created_from timestamptz,
                               p_created_to timestamptz, p_updated_since timestamptz, p_tags jsonb, p_at timestamptz, p_id uuid,
                               p_limit bigint) RETURNS SETOF quern.job_view LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY EXECUTE 'SELECT * FROM quern.job_view WHERE true'
      || CASE WHEN p_states IS NOT NULL THEN ' AND state = ANY ($1)' ELSE '' END
      || CASE WHEN p_name IS NOT NULL THEN ' AND name = $2' ELSE '' END
      || CASE WHEN p_created_from IS NOT NULL THEN ' AND created_at >= $3' ELSE '' END
      || CASE WHEN p_created_to IS NOT NULL THEN ' AND created_at < $4' ELSE '' END
      || CASE WHEN p_updated_since IS NOT NULL THEN ' AND updated_at >= $5' ELSE '' END
      || CASE WHEN p_tags IS NOT NULL THEN ' AND tags @> $6' ELSE '' END
      || CASE WHEN p_id IS NOT NULL
              THEN format(' AND (%I, id) %s ($7, $8)', p_by, CASE WHEN p_descending THEN '<' ELSE '>' END) ELSE '' END
      || format(' ORDER BY %I %s, id %2$s LIMIT $9', p_by, CASE WHEN p_descending THEN 'DESC' ELSE 'ASC' END)
    USING p_states, p_name, p_created_from, p_created_to, p_updated_since, p_tags, p_at, p_id, p_limit;
END $$;
