-- Every move a job can make, one function each, named quern.job_<from>_<to> after the rows JOB_EDGE(from, to) of
-- store/job_state.def. Each is guarded by the state it leaves; the moves out of `running` also by the fence (attempt, token)
-- of the attempt they end. They answer whether the job moved.
--
--   queued ──claim──▶ running ──▶ succeeded
--     │  ▲              │ │ └───▶ failed
--     │  └───requeue────┘ └─────▶ cancelled
--     └────────────cancel───────▶ cancelled

-- The same diagram once more, below every function and every hand-written UPDATE.
CREATE FUNCTION quern.job_check_edge() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (OLD.state, NEW.state) NOT IN (('queued', 'running'), ('queued', 'cancelled'), ('running', 'queued'),
                                    ('running', 'succeeded'), ('running', 'failed'), ('running', 'cancelled')) THEN
    RAISE EXCEPTION 'job % cannot go from % to %', OLD.id, OLD.state, NEW.state USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER job_edge BEFORE UPDATE OF state ON quern.job
  FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION quern.job_check_edge();

CREATE FUNCTION quern.job_due_order(p_run_at timestamptz, p_priority integer) RETURNS timestamptz
LANGUAGE sql STABLE AS $$ SELECT p_run_at + make_interval(mins => 10 * (p_priority - 1)) $$;

CREATE FUNCTION quern.job_queued_running(p_id uuid, p_owner text, p_token uuid, p_lease_s integer) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
  v_attempt integer;
BEGIN
  UPDATE quern.job
     SET state = 'running', attempt = attempt + 1, owner = p_owner, lease_token = p_token,
         lease_until = now() + make_interval(secs => p_lease_s), started_at = coalesce(started_at, now()),
         updated_at = now(), revision = nextval('quern.revision')
   WHERE id = p_id AND state = 'queued'
  RETURNING attempt INTO v_attempt;
  IF NOT FOUND THEN RETURN false; END IF;
  PERFORM quern.job_note(p_id, 'state', json_build_object('state', 'running', 'attempt', v_attempt));
  RETURN true;
END $$;

CREATE FUNCTION quern.job_queued_cancelled(p_id uuid) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  UPDATE quern.job
     SET state = 'cancelled', cancel_requested_at = coalesce(cancel_requested_at, now()), finished_at = now(),
         updated_at = now(), revision = nextval('quern.revision')
   WHERE id = p_id AND state = 'queued';
  IF NOT FOUND THEN RETURN false; END IF;
  PERFORM quern.job_note(p_id, 'state', json_build_object('state', 'cancelled'));
  RETURN true;
END $$;

-- p_counted false: the attempt was interrupted, not tried, and its number is given out again (under another token).
CREATE FUNCTION quern.job_running_queued(p_id uuid, p_attempt integer, p_token uuid, p_delay interval, p_counted boolean,
                                         p_worker_lost boolean, p_problem json) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  UPDATE quern.job
     SET state = 'queued', attempt = attempt - CASE WHEN p_counted THEN 0 ELSE 1 END,
         worker_losses = worker_losses + p_worker_lost::integer, lease_until = NULL,
         run_at = now() + p_delay, due_order = quern.job_due_order(now() + p_delay, priority),
         updated_at = now(), revision = nextval('quern.revision')
   WHERE id = p_id AND attempt = p_attempt AND lease_token = p_token AND state = 'running';
  IF NOT FOUND THEN RETURN false; END IF;
  DELETE FROM quern.job_progress WHERE job_id = p_id;
  PERFORM quern.job_note(p_id, 'state', json_build_object('state', 'queued', 'attempt', p_attempt, 'error', p_problem));
  RETURN true;
END $$;

-- A cancel that came first wins: then nothing moves, and the caller ends the attempt as cancelled.
CREATE FUNCTION quern.job_running_succeeded(p_id uuid, p_attempt integer, p_token uuid, p_metrics json, p_evaluation json,
                                            p_stages json, p_shards json, p_resources json, p_model_name text,
                                            p_model_version integer) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  UPDATE quern.job
     SET state = 'succeeded', lease_until = NULL, finished_at = now(),
         updated_at = now(), revision = nextval('quern.revision')
   WHERE id = p_id AND attempt = p_attempt AND lease_token = p_token AND state = 'running'
     AND cancel_requested_at IS NULL;
  IF NOT FOUND THEN RETURN false; END IF;
  INSERT INTO quern.job_result (job_id, metrics, evaluation, model_name, model_version)
  VALUES (p_id, p_metrics, p_evaluation, p_model_name, p_model_version);
  INSERT INTO quern.job_progress AS p (job_id, fraction, rows_done, rows_total, stages, shards, resources)
  VALUES (p_id, 1, 0, 0, p_stages, p_shards, p_resources)
  ON CONFLICT (job_id) DO UPDATE
     SET fraction = 1, eta_s = NULL, stages = coalesce(excluded.stages, p.stages),
         shards = coalesce(excluded.shards, p.shards), resources = coalesce(excluded.resources, p.resources);
  PERFORM quern.job_note(p_id, 'state', json_build_object('state', 'succeeded', 'attempt', p_attempt,
                                                          'model', p_model_name, 'version', p_model_version));
  RETURN true;
END $$;

CREATE FUNCTION quern.job_running_failed(p_id uuid, p_attempt integer, p_token uuid, p_worker_lost boolean, p_problem json)
RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  UPDATE quern.job
     SET state = 'failed', worker_losses = worker_losses + p_worker_lost::integer, lease_until = NULL, finished_at = now(),
         updated_at = now(), revision = nextval('quern.revision')
   WHERE id = p_id AND attempt = p_attempt AND lease_token = p_token AND state = 'running';
  IF NOT FOUND THEN RETURN false; END IF;
  INSERT INTO quern.job_result (job_id, error) VALUES (p_id, p_problem);
  PERFORM quern.job_note(p_id, 'state', json_build_object('state', 'failed', 'attempt', p_attempt, 'error', p_problem));
  RETURN true;
END $$;

CREATE FUNCTION quern.job_running_cancelled(p_id uuid, p_attempt integer, p_token uuid) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  UPDATE quern.job
     SET state = 'cancelled', lease_until = NULL, finished_at = now(),
         updated_at = now(), revision = nextval('quern.revision')
   WHERE id = p_id AND attempt = p_attempt AND lease_token = p_token AND state = 'running';
  IF NOT FOUND THEN RETURN false; END IF;
  PERFORM quern.job_note(p_id, 'state', json_build_object('state', 'cancelled', 'attempt', p_attempt));
  RETURN true;
END $$;
