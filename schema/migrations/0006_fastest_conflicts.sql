DROP TRIGGER `fastest_push_op_snapshots`;
--> statement-breakpoint
DROP VIEW `fastest_row_snapshots`;
--> statement-breakpoint
DROP TRIGGER `fastest_snapshots_update`;
--> statement-breakpoint
ALTER TABLE `snapshots` ADD COLUMN `conflicts` integer;
--> statement-breakpoint
CREATE TRIGGER `fastest_snapshots_update` AFTER UPDATE OF `id`, `project_id`, `workspace_id`, `manifest_hash`, `parent_snapshot_ids`, `source`, `summary`, `created_at`, `conflicts` ON `snapshots` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'snapshots', OLD.`id`, coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'snapshots' AND pk = OLD.`id`), OLD.`project_id`, ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'snapshots' AND pk = OLD.`id`), OLD.`project_id`, '')), 1
    WHERE OLD.`id` IS NOT NEW.`id`
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT tbl, json_array(pk, scope), scope, version,
      (SELECT max(seq) + 1 FROM fastest_changes WHERE scope = moved.scope), 2
    FROM fastest_changes AS moved
    WHERE tbl = 'snapshots' AND pk = NEW.`id` AND scope IS NOT NEW.`project_id`
    ON CONFLICT(tbl, pk) DO UPDATE SET version = excluded.version, seq = excluded.seq;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'snapshots', NEW.`id`, NEW.`project_id`, 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = NEW.`project_id`), 0
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE VIEW `fastest_row_snapshots` AS SELECT t.`id` AS pk,
  10+length(t.`id`)+length(t.`project_id`)+coalesce(length(t.`workspace_id`),0)+length(t.`manifest_hash`)+length(t.`parent_snapshot_ids`)+length(t.`source`)+coalesce(length(t.`summary`),0)+length(t.`created_at`) AS size,
  '['||
  iif(typeof(t.`id`)='blob','{"blob":"'||hex(t.`id`)||'"}',json_quote(t.`id`))||','||
  iif(typeof(t.`project_id`)='blob','{"blob":"'||hex(t.`project_id`)||'"}',json_quote(t.`project_id`))||','||
  iif(typeof(t.`workspace_id`)='blob','{"blob":"'||hex(t.`workspace_id`)||'"}',json_quote(t.`workspace_id`))||','||
  iif(typeof(t.`manifest_hash`)='blob','{"blob":"'||hex(t.`manifest_hash`)||'"}',json_quote(t.`manifest_hash`))||','||
  iif(typeof(t.`parent_snapshot_ids`)='blob','{"blob":"'||hex(t.`parent_snapshot_ids`)||'"}',json_quote(t.`parent_snapshot_ids`))||','||
  iif(typeof(t.`source`)='blob','{"blob":"'||hex(t.`source`)||'"}',json_quote(t.`source`))||','||
  iif(typeof(t.`summary`)='blob','{"blob":"'||hex(t.`summary`)||'"}',json_quote(t.`summary`))||','||
  iif(typeof(t.`created_at`)='blob','{"blob":"'||hex(t.`created_at`)||'"}',json_quote(t.`created_at`))||','||
  CASE typeof(t.`conflicts`) WHEN 'real' THEN '["real",'||json_quote(CAST(t.`conflicts` AS TEXT))||']' WHEN 'blob' THEN '{"blob":"'||hex(t.`conflicts`)||'"}' ELSE json_quote(t.`conflicts`) END ||']' AS row_681ac811
FROM `snapshots` AS t;
--> statement-breakpoint
CREATE TRIGGER `fastest_push_op_snapshots` INSTEAD OF INSERT ON fastest_push_op WHEN NEW.tbl = 'snapshots' BEGIN
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM json_each(NEW.columns) WHERE key NOT IN ('id','project_id','workspace_id','manifest_hash','parent_snapshot_ids','source','summary','created_at','conflicts');
  SELECT RAISE(ABORT, 'fastest:payload_invalid') FROM json_each(NEW.columns)
    WHERE type IN ('array', 'object')
      AND NOT (key IN ('id','project_id','workspace_id','manifest_hash','parent_snapshot_ids','source','summary','created_at') AND json_type(value, '$.blob') IS NULL)
      OR key = 'id' AND atom IS NOT NEW.pk;
  INSERT INTO `snapshots`(`id`,`project_id`,`workspace_id`,`manifest_hash`,`parent_snapshot_ids`,`source`,`summary`,`created_at`,`conflicts`)
    SELECT NEW.pk,NEW.columns->>'project_id',NEW.columns->>'workspace_id',NEW.columns->>'manifest_hash',coalesce(NEW.columns->>'parent_snapshot_ids','[]'),coalesce(NEW.columns->>'source','cli'),NEW.columns->>'summary',coalesce(NEW.columns->>'created_at',(strftime('%Y-%m-%dT%H:%M:%fZ','now'))),NEW.columns->>'conflicts'
    WHERE NEW.columns IS NOT NULL AND true ON CONFLICT(`id`) DO NOTHING;
  SELECT RAISE(ABORT, 'fastest:swallowed') WHERE NEW.columns IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM `snapshots` WHERE `id` = NEW.pk)
    AND NOT EXISTS (SELECT 1 FROM fastest_changes WHERE tbl = 'snapshots' AND pk = NEW.pk);
  DELETE FROM `snapshots` WHERE `id` = NEW.pk AND NEW.columns IS NULL;
END;
