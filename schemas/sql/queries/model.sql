-- name: model_list
-- 1 name of the model before or NULL, 2 limit
SELECT * FROM quern.model_view WHERE $1::text IS NULL OR name > $1 ORDER BY name LIMIT $2

-- name: model_get
-- 1 name
SELECT * FROM quern.model_view WHERE name = $1

-- name: model_targets
-- The revision comes with every model, and alone where there is none.
SELECT h.revision, m.* FROM quern.model_head h LEFT JOIN quern.model_view m ON true ORDER BY m.name

-- name: model_versions
-- 1 name, 2 version or NULL for all. One row with NULLs when the model has no such version; none: no such model.
SELECT m.name, v.version, v.job_id, v.manifest, v.size, v.created_at, v.checksum
  FROM quern.model m
  LEFT JOIN quern.model_version v ON v.model_id = m.id AND ($2::integer IS NULL OR v.version = $2)
 WHERE m.name = $1
 ORDER BY v.version

-- name: model_container
-- 1 name, 2 version. As model_versions, for loading.
SELECT v.id, v.size, v.checksum
  FROM quern.model m JOIN quern.model_version v ON v.model_id = m.id
 WHERE m.name = $1 AND v.version = $2

-- name: model_chunks
-- 1 id of the version, 2 first ordinal, 3 how many
SELECT ordinal, data FROM quern.model_chunk WHERE version_id = $1 AND ordinal >= $2 ORDER BY ordinal LIMIT $3

-- name: model_version_add
-- 1 name, 2 job or NULL, 3 manifest, 4 metrics, 5 size, 6 checksum
SELECT version_id, version FROM quern.model_version_add($1, $2, $3, $4, $5, $6)

-- name: model_chunk_add
-- 1 id of the version, 2 ordinal, 3 data
INSERT INTO quern.model_chunk (version_id, ordinal, data) VALUES ($1, $2, $3)

-- name: model_promote
-- 1 name, 2 version, 3 alias, 4 when, 5 metric or NULL, 6 larger is better, 7 job
SELECT quern.model_promote($1, $2, $3, $4, $5, $6, $7) AS promoted

-- name: model_changed
-- 1 name. Last in its transaction: it locks the row that every change of a model moves.
SELECT quern.model_changed($1)

-- name: model_alias_set
-- 1 name, 2 alias, 3 target
SELECT quern.model_alias_set($1, $2, $3, NULL) AS outcome

-- name: model_alias_get
-- 1 name, 2 alias
SELECT a.alias, a.target, a.updated_at
  FROM quern.model_alias a JOIN quern.model m ON m.id = a.model_id
 WHERE m.name = $1 AND a.alias = $2

-- name: model_alias_delete
-- 1 name, 2 alias
SELECT quern.model_alias_delete($1, $2) AS deleted

-- name: model_alias_history
-- 1 name, 2 alias, 3 limit. Newest first; NULL target: deleted.
SELECT h.alias, h.target, h.at AS updated_at, h.job_id
  FROM quern.model_alias_history h JOIN quern.model m ON m.id = h.model_id
 WHERE m.name = $1 AND h.alias = $2
 ORDER BY h.id DESC LIMIT $3
