-- Models: a name, its versions (never changed once made), their containers in pieces, and aliases with all their history.

CREATE TABLE quern.model (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name         text COLLATE "C" NOT NULL UNIQUE CHECK (octet_length(name) BETWEEN 1 AND 200),
  last_version integer NOT NULL, -- only grows: the number of a deleted version is not given out again
  created_at   timestamptz NOT NULL DEFAULT now(),
  updated_at   timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE quern.model_version (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  model_id   bigint NOT NULL REFERENCES quern.model,
  version    integer NOT NULL CHECK (version >= 1),
  job_id     uuid, -- NULL: imported. The job itself may be deleted.
  manifest   json NOT NULL,
  metrics    json,
  size       bigint NOT NULL,
  checksum   text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (model_id, version)
);
-- Whatever else goes wrong: never two versions for one job.
CREATE UNIQUE INDEX model_version_by_job ON quern.model_version (job_id) WHERE job_id IS NOT NULL;

CREATE TABLE quern.model_chunk (
  version_id bigint NOT NULL REFERENCES quern.model_version ON DELETE CASCADE,
  ordinal    integer NOT NULL,
  data       bytea NOT NULL CHECK (octet_length(data) BETWEEN 1 AND 1048576),
  PRIMARY KEY (version_id, ordinal)
);
-- Fitted weights do not compress; trying costs more than writing them.
ALTER TABLE quern.model_chunk ALTER COLUMN data SET STORAGE EXTERNAL;

CREATE TABLE quern.model_alias (
  model_id   bigint NOT NULL REFERENCES quern.model,
  alias      text COLLATE "C" NOT NULL CHECK (alias <> ''),
  target     jsonb NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (model_id, alias)
);

CREATE TABLE quern.model_alias_history (
  id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  model_id bigint NOT NULL REFERENCES quern.model,
  alias    text COLLATE "C" NOT NULL,
  target   jsonb, -- NULL: deleted
  job_id   uuid,  -- the job that promoted its model; NULL: somebody's call
  at       timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX model_alias_history_by_alias ON quern.model_alias_history (model_id, alias, id);

CREATE FUNCTION quern.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER model_alias_history_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON quern.model_alias_history
  FOR EACH STATEMENT EXECUTE FUNCTION quern.refuse_change();

-- Moves with every change of any model, in commit order (the row is locked until then), so a poller that has seen a number has
-- seen everything below it.
CREATE TABLE quern.model_head (
  one      boolean PRIMARY KEY DEFAULT true CHECK (one),
  revision bigint NOT NULL
) WITH (fillfactor = 10);
INSERT INTO quern.model_head (revision) VALUES (0);

CREATE FUNCTION quern.model_changed(p_name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  UPDATE quern.model SET updated_at = now() WHERE name = p_name;
  UPDATE quern.model_head SET revision = revision + 1;
  PERFORM pg_notify('quern_models', p_name);
END $$;

-- A model with everything that points into it. Arrays run in the order of alias, of version.
CREATE VIEW quern.model_view AS
SELECT m.name, m.created_at, m.updated_at, v.latest, v.versions, a.aliases, a.targets, a.alias_times
  FROM quern.model m
  CROSS JOIN LATERAL (SELECT max(version) AS latest, array_agg(version ORDER BY version) AS versions
                        FROM quern.model_version WHERE model_id = m.id) v
  CROSS JOIN LATERAL (SELECT array_agg(alias::text ORDER BY alias) AS aliases,
                             array_agg(target::text ORDER BY alias) AS targets,
                             array_agg(updated_at ORDER BY alias) AS alias_times
                        FROM quern.model_alias WHERE model_id = m.id) a;

-- The next version of p_name; its chunks follow in the same transaction.
CREATE FUNCTION quern.model_version_add(p_name text, p_job_id uuid, p_manifest json, p_metrics json, p_size bigint,
                                        p_checksum text, OUT version_id bigint, OUT version integer) LANGUAGE plpgsql AS $$
DECLARE
  v_model bigint;
BEGIN
  INSERT INTO quern.model AS m (name, last_version) VALUES (p_name, 1)
  ON CONFLICT (name) DO UPDATE SET last_version = m.last_version + 1
  RETURNING m.id, m.last_version INTO v_model, version;
  INSERT INTO quern.model_version AS v (model_id, version, job_id, manifest, metrics, size, checksum)
  VALUES (v_model, version, p_job_id, p_manifest, p_metrics, p_size, p_checksum)
  RETURNING v.id INTO version_id;
END $$;

-- Every version that an alias' target names.
CREATE FUNCTION quern.model_target_versions(p_target jsonb) RETURNS TABLE (version integer, weight double precision)
LANGUAGE sql IMMUTABLE AS $$
  SELECT (p_target ->> 'version')::integer, 1 WHERE p_target ? 'version'
  UNION ALL
  SELECT key::integer, value::double precision FROM jsonb_each_text(coalesce(p_target -> 'split', '{}'))
  UNION ALL
  SELECT (p_target ->> 'shadow')::integer, 0 WHERE p_target ? 'shadow'
$$;

-- outcome: set | same (nothing to do) | no_model | no_version.
CREATE FUNCTION quern.model_alias_set(p_name text, p_alias text, p_target jsonb, p_job_id uuid) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
  v_model bigint;
BEGIN
  SELECT id INTO v_model FROM quern.model WHERE name = p_name FOR UPDATE;
  IF NOT FOUND THEN
    RETURN 'no_model';
  ELSIF EXISTS (SELECT version FROM quern.model_target_versions(p_target)
                EXCEPT SELECT version FROM quern.model_version WHERE model_id = v_model) THEN
    RETURN 'no_version';
  END IF;
  INSERT INTO quern.model_alias AS a (model_id, alias, target) VALUES (v_model, p_alias, p_target)
  ON CONFLICT (model_id, alias) DO UPDATE SET target = excluded.target, updated_at = now()
   WHERE a.target <> excluded.target;
  IF NOT FOUND THEN RETURN 'same'; END IF;
  INSERT INTO quern.model_alias_history (model_id, alias, target, job_id) VALUES (v_model, p_alias, p_target, p_job_id);
  PERFORM quern.model_changed(p_name);
  RETURN 'set';
END $$;

-- True when there was such an alias.
CREATE FUNCTION quern.model_alias_delete(p_name text, p_alias text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  v_model bigint;
BEGIN
  DELETE FROM quern.model_alias a USING quern.model m
   WHERE m.id = a.model_id AND m.name = p_name AND a.alias = p_alias
  RETURNING m.id INTO v_model;
  IF NOT FOUND THEN RETURN false; END IF;
  INSERT INTO quern.model_alias_history (model_id, alias) VALUES (v_model, p_alias);
  PERFORM quern.model_changed(p_name);
  RETURN true;
END $$;

-- A metric as a number, NULL where there is none.
CREATE FUNCTION quern.model_metric(p_metrics json, p_metric text) RETURNS double precision LANGUAGE sql STABLE AS $$
  SELECT value::text::double precision FROM json_each(p_metrics) WHERE key = p_metric AND json_typeof(value) = 'number' LIMIT 1
$$;

-- Points p_alias at p_version: always, or when its metric (NULL: its first one) is better than that of the version the alias
-- points to now (of a split: the one with most traffic). With nothing to compare with the new version is the better one; without
-- the metric it is not.
CREATE FUNCTION quern.model_promote(p_name text, p_version integer, p_alias text, p_when text, p_metric text,
                                    p_larger_better boolean, p_job_id uuid) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  v_model  bigint;
  v_metric text;
  v_new    double precision;
  v_old    double precision;
BEGIN
  SELECT id INTO v_model FROM quern.model WHERE name = p_name FOR UPDATE;
  IF p_when = 'better' THEN
    SELECT coalesce(p_metric, (SELECT key FROM json_object_keys(metrics) key LIMIT 1)) INTO v_metric
      FROM quern.model_version WHERE model_id = v_model AND version = p_version;
    SELECT quern.model_metric(metrics, v_metric) INTO v_new
      FROM quern.model_version WHERE model_id = v_model AND version = p_version;
    SELECT quern.model_metric(v.metrics, v_metric) INTO v_old
      FROM quern.model_alias a
      CROSS JOIN LATERAL (SELECT version FROM quern.model_target_versions(a.target) ORDER BY weight DESC LIMIT 1) t
      JOIN quern.model_version v ON v.model_id = v_model AND v.version = t.version
     WHERE a.model_id = v_model AND a.alias = p_alias;
    IF v_new IS NULL OR NOT coalesce(CASE WHEN p_larger_better THEN v_new > v_old ELSE v_new < v_old END, true) THEN
      RETURN false;
    END IF;
  END IF;
  RETURN quern.model_alias_set(p_name, p_alias, jsonb_build_object('version', p_version), p_job_id) = 'set';
END $$;
