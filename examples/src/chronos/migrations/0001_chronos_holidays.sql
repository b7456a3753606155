DROP TRIGGER `fastest_push_apply`;
--> statement-breakpoint
DROP TRIGGER `fastest_push_2_apply`;
--> statement-breakpoint
DROP TRIGGER `fastest_push_op_chronos_entries`;
--> statement-breakpoint
DROP VIEW `fastest_row_chronos_entries`;
--> statement-breakpoint
DROP TRIGGER `fastest_chronos_entries_update`;
--> statement-breakpoint
CREATE TABLE `chronos_holidays`(
  `id` text PRIMARY KEY NOT NULL,
  `team` text NOT NULL
);
--> statement-breakpoint
ALTER TABLE `chronos_entries` ADD COLUMN `kind` text NOT NULL DEFAULT 'work';
--> statement-breakpoint
CREATE TRIGGER `fastest_chronos_entries_update` AFTER UPDATE OF `id`, `team`, `minutes`, `kind` ON `chronos_entries` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'chronos_entries', OLD.`id`, coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'chronos_entries' AND pk = OLD.`id`), OLD.`team`, ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'chronos_entries' AND pk = OLD.`id`), OLD.`team`, '')), 1
    WHERE OLD.`id` IS NOT NEW.`id`
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT tbl, json_array(pk, scope), scope, version,
      (SELECT max(seq) + 1 FROM fastest_changes WHERE scope = moved.scope), 2
    FROM fastest_changes AS moved
    WHERE tbl = 'chronos_entries' AND pk = NEW.`id` AND scope IS NOT NEW.`team`
    ON CONFLICT(tbl, pk) DO UPDATE SET version = excluded.version, seq = excluded.seq;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'chronos_entries', NEW.`id`, NEW.`team`, 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = NEW.`team`), 0
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_chronos_holidays_insert` AFTER INSERT ON `chronos_holidays` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT tbl, json_array(pk, scope), scope, version,
      (SELECT max(seq) + 1 FROM fastest_changes WHERE scope = moved.scope), 2
    FROM fastest_changes AS moved
    WHERE tbl = 'chronos_holidays' AND pk = NEW.`id` AND scope IS NOT NEW.`team`
    ON CONFLICT(tbl, pk) DO UPDATE SET version = excluded.version, seq = excluded.seq;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'chronos_holidays', NEW.`id`, NEW.`team`, 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = NEW.`team`), 0
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_chronos_holidays_update` AFTER UPDATE OF `id`, `team` ON `chronos_holidays` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'chronos_holidays', OLD.`id`, coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'chronos_holidays' AND pk = OLD.`id`), OLD.`team`, ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'chronos_holidays' AND pk = OLD.`id`), OLD.`team`, '')), 1
    WHERE OLD.`id` IS NOT NEW.`id`
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT tbl, json_array(pk, scope), scope, version,
      (SELECT max(seq) + 1 FROM fastest_changes WHERE scope = moved.scope), 2
    FROM fastest_changes AS moved
    WHERE tbl = 'chronos_holidays' AND pk = NEW.`id` AND scope IS NOT NEW.`team`
    ON CONFLICT(tbl, pk) DO UPDATE SET version = excluded.version, seq = excluded.seq;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'chronos_holidays', NEW.`id`, NEW.`team`, 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = NEW.`team`), 0
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_chronos_holidays_delete` AFTER DELETE ON `chronos_holidays` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'chronos_holidays', OLD.`id`, coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'chronos_holidays' AND pk = OLD.`id`), OLD.`team`, ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'chronos_holidays' AND pk = OLD.`id`), OLD.`team`, '')), 1
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE VIEW `fastest_row_chronos_entries` AS SELECT t.`id` AS pk,
  10+length(t.`id`)+length(t.`team`)+length(t.`kind`) AS size,
  '['||
  iif(typeof(t.`id`)='blob','{"blob":"'||hex(t.`id`)||'"}',json_quote(t.`id`))||','||
  iif(typeof(t.`team`)='blob','{"blob":"'||hex(t.`team`)||'"}',json_quote(t.`team`))||','||
  CASE typeof(t.`minutes`) WHEN 'real' THEN '["real",'||json_quote(CAST(t.`minutes` AS TEXT))||']' WHEN 'blob' THEN '{"blob":"'||hex(t.`minutes`)||'"}' ELSE json_quote(t.`minutes`) END ||','||
  iif(typeof(t.`kind`)='blob','{"blob":"'||hex(t.`kind`)||'"}',json_quote(t.`kind`))||']' AS row_2ceb30c7
FROM `chronos_entries` AS t;
--> statement-breakpoint
CREATE VIEW `fastest_row_chronos_holidays` AS SELECT t.`id` AS pk,
  0+length(t.`id`)+length(t.`team`) AS size,
  '['||
  iif(typeof(t.`id`)='blob','{"blob":"'||hex(t.`id`)||'"}',json_quote(t.`id`))||','||
  iif(typeof(t.`team`)='blob','{"blob":"'||hex(t.`team`)||'"}',json_quote(t.`team`))||']' AS row_4902a5a6
FROM `chronos_holidays` AS t;
--> statement-breakpoint
CREATE TRIGGER `fastest_push_op_chronos_entries` INSTEAD OF INSERT ON fastest_push_op WHEN NEW.tbl = 'chronos_entries' BEGIN
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM json_each(NEW.columns) WHERE key NOT IN ('id','team','minutes','kind');
  SELECT RAISE(ABORT, 'fastest:payload_invalid') FROM json_each(NEW.columns)
    WHERE type IN ('array', 'object')
      AND NOT (key IN ('id','team','kind') AND json_type(value, '$.blob') IS NULL)
      OR key = 'id' AND atom IS NOT NEW.pk;
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM fastest_changes WHERE tbl='chronos_entries' AND pk=NEW.pk AND deleted=0
    AND NEW.patch IS NULL AND NOT EXISTS (SELECT 1 FROM `chronos_entries` WHERE `id` = NEW.pk);
  UPDATE `chronos_entries` SET `id`=`id`,`team`=iif(json_type(NEW.columns,'$.team') IS NOT NULL,NEW.columns->>'team',`team`),`minutes`=iif(json_type(NEW.columns,'$.minutes') IS NOT NULL,NEW.columns->>'minutes',`minutes`),`kind`=iif(json_type(NEW.columns,'$.kind') IS NOT NULL,NEW.columns->>'kind',`kind`)
    WHERE `id` = NEW.pk AND NEW.columns IS NOT NULL;
  INSERT INTO `chronos_entries`(`id`,`team`,`minutes`,`kind`)
    SELECT NEW.pk,NEW.columns->>'team',NEW.columns->>'minutes',coalesce(NEW.columns->>'kind','work')
    WHERE NEW.columns IS NOT NULL AND NEW.patch IS NULL AND NOT EXISTS (SELECT 1 FROM `chronos_entries` WHERE `id` = NEW.pk);
  DELETE FROM `chronos_entries` WHERE `id` = NEW.pk AND NEW.columns IS NULL;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_push_op_chronos_holidays` INSTEAD OF INSERT ON fastest_push_op WHEN NEW.tbl = 'chronos_holidays' BEGIN
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM json_each(NEW.columns) WHERE key NOT IN ('id','team');
  SELECT RAISE(ABORT, 'fastest:payload_invalid') FROM json_each(NEW.columns)
    WHERE type IN ('array', 'object')
      AND NOT (key IN ('id','team') AND json_type(value, '$.blob') IS NULL)
      OR key = 'id' AND atom IS NOT NEW.pk;
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM fastest_changes WHERE tbl='chronos_holidays' AND pk=NEW.pk AND deleted=0
    AND NEW.patch IS NULL AND NOT EXISTS (SELECT 1 FROM `chronos_holidays` WHERE `id` = NEW.pk);
  UPDATE `chronos_holidays` SET `id`=`id`,`team`=iif(json_type(NEW.columns,'$.team') IS NOT NULL,NEW.columns->>'team',`team`)
    WHERE `id` = NEW.pk AND NEW.columns IS NOT NULL;
  INSERT INTO `chronos_holidays`(`id`,`team`)
    SELECT NEW.pk,NEW.columns->>'team'
    WHERE NEW.columns IS NOT NULL AND NEW.patch IS NULL AND NOT EXISTS (SELECT 1 FROM `chronos_holidays` WHERE `id` = NEW.pk);
  DELETE FROM `chronos_holidays` WHERE `id` = NEW.pk AND NEW.columns IS NULL;
END;
--> statement-breakpoint
CREATE TRIGGER fastest_push_2_apply INSTEAD OF INSERT ON fastest_push_2 BEGIN
  SELECT RAISE(ABORT, 'fastest:payload_version') WHERE NEW.payload->>'v' IS NOT 2;
  SELECT RAISE(IGNORE) FROM fastest_pushes WHERE id = NEW.id;
  SELECT RAISE(ABORT, 'fastest:payload_invalid') WHERE json_type(NEW.payload, '$.counter') IS NOT 'integer'
    OR NEW.payload->>'counter' NOT BETWEEN 0 AND 9007199254740992;
  SELECT RAISE(ABORT, 'fastest:device_counter') FROM fastest_pushes WHERE device = NEW.device AND counter >= NEW.payload->>'counter';
  SELECT RAISE(ABORT, 'fastest:restored') FROM fastest_meta
    WHERE NEW.payload->>'epoch' IS NOT NULL AND epoch IS NOT NEW.payload->>'epoch';
  SELECT RAISE(ABORT, 'fastest:restored') WHERE NEW.payload->>'after' IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM fastest_pushes WHERE id = NEW.payload->>'after');
  SELECT RAISE(ABORT, 'fastest:restored') WHERE NEW.payload->>'mark' IS NOT NULL
    AND NOT (EXISTS (SELECT 1 FROM fastest_pushes WHERE id = (NEW.payload->'mark')->>0)
      OR coalesce((SELECT max(counter) FROM fastest_pushes WHERE device = (NEW.payload->'mark')->>1), 0)
        >= (NEW.payload->'mark')->>2 + 1000);
  SELECT RAISE(ABORT, 'fastest:restored') WHERE NEW.payload->>'seen' IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM fastest_changes WHERE tbl = (NEW.payload->'seen')->>0 AND pk = (NEW.payload->'seen')->>1
      AND (version > (NEW.payload->'seen')->>2 OR version = (NEW.payload->'seen')->>2 AND seq = (NEW.payload->'seen')->>3));
  SELECT RAISE(ABORT, 'fastest:payload_invalid') WHERE coalesce(json_type(NEW.payload, '$.ops'), 'array') IS NOT 'array';
  SELECT RAISE(ABORT, 'fastest:payload_invalid') FROM json_each(NEW.payload->'ops')
    WHERE type IS NOT 'array' OR json_type(value, '$[0]') IS NOT 'text'
      OR json_type(value, '$[1]') IS NOT 'text'
      OR coalesce(json_type(value, '$[2]'), 'object') IS NOT 'object'
      OR json_type(value, '$[3]') IS NOT NULL AND value->>3 IS NOT 1;
  SELECT RAISE(ABORT, 'fastest:unknown_table') FROM json_each(NEW.payload->'ops')
    WHERE value->>0 NOT IN ('chronos_entries','chronos_holidays') OR value->>3 IS NOT NULL AND value->>0 NOT IN ('chronos_entries','chronos_holidays');
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM json_each(NEW.payload->'locks') AS l
    LEFT JOIN fastest_changes AS c ON c.tbl = l.value->>0 AND c.pk = l.value->>1
    WHERE coalesce(c.version, 0) IS NOT l.value->>2;
  SELECT RAISE(ABORT, 'fastest:lock_missing') FROM json_each(NEW.payload->'ops')
    WHERE value->>0 IN ('chronos_entries','chronos_holidays') AND value->>3 IS NULL AND (value->>0, value->>1) NOT IN (
      SELECT value->>0, value->>1 FROM json_each(NEW.payload->'locks')
      WHERE value->>0 IS NOT NULL AND value->>1 IS NOT NULL);
  INSERT INTO fastest_push_op(tbl, pk, columns, patch)
    SELECT value->>0, value->>1, value->2, value->>3
    FROM json_each(NEW.payload->'ops') ORDER BY key;
  SELECT RAISE(ABORT, 'fastest:swallowed') FROM json_each(NEW.payload->'locks') AS l
    LEFT JOIN fastest_changes AS c ON c.tbl = l.value->>0 AND c.pk = l.value->>1
    WHERE coalesce(c.version, 0) <= l.value->>2 AND (l.value->>0, l.value->>1) IN (
      SELECT value->>0, value->>1 FROM json_each(NEW.payload->'ops')
      WHERE value->>3 IS NULL AND json_type(value, '$[2]') IS NOT NULL)
    OR c.deleted = 0 AND (l.value->>0, l.value->>1) IN (
      SELECT tbl, pk FROM (
        SELECT value->>0 AS tbl, value->>1 AS pk, max(key), json_type(value, '$[2]') IS NULL AS gone
        FROM json_each(NEW.payload->'ops') WHERE value->>3 IS NULL GROUP BY 1, 2)
      WHERE gone);
  INSERT INTO fastest_pushes(id, device, counter)
    VALUES (NEW.id, NEW.device, NEW.payload->>'counter');
  UPDATE fastest_meta SET last_push = NEW.id;
  DELETE FROM fastest_pushes
    WHERE device = NEW.device AND counter <= (NEW.payload->>'counter') - 1000;
END;
--> statement-breakpoint
CREATE TRIGGER fastest_push_apply INSTEAD OF INSERT ON fastest_push BEGIN
  SELECT RAISE(ABORT, 'fastest:payload_version') WHERE NEW.payload->>'v' IS NOT 1;
  SELECT RAISE(IGNORE) FROM fastest_pushes WHERE id = NEW.id;
  SELECT RAISE(ABORT, 'fastest:unknown_table') FROM json_each(NEW.payload->'rows') WHERE key NOT IN (SELECT value->>0 FROM json_each('[["chronos_entries","id",true],["chronos_holidays","id",true]]'));
  SELECT RAISE(ABORT, 'fastest:unknown_table') FROM json_each(NEW.payload->'patch') WHERE key NOT IN (SELECT value->>0 FROM json_each('[["chronos_entries","id",true],["chronos_holidays","id",true]]') WHERE value->>2);
  SELECT RAISE(ABORT, 'fastest:unknown_table') FROM json_each(NEW.payload->'delete') WHERE key NOT IN (SELECT value->>0 FROM json_each('[["chronos_entries","id",true],["chronos_holidays","id",true]]'));
  INSERT INTO fastest_push_2(id, device, payload)
    SELECT NEW.id, NEW.device, json_set(json_remove(NEW.payload, '$.rows', '$.patch', '$.delete'),
      '$.v', 2, '$.ops', json((SELECT json_group_array(json(op)) FROM (
      SELECT json_array(t.value->>0, iif(t.value->>2, coalesce(r.value->>(t.value->>1), ''),
        r.value->>(t.value->>1)), json(r.value)) AS op, 0 AS part, t.key AS place, r.key AS at
      FROM json_each('[["chronos_entries","id",true],["chronos_holidays","id",true]]') AS t
      JOIN json_each(NEW.payload->'rows'->(t.value->>0)) AS r
      UNION ALL
      SELECT json_array(t.value->>0, r.value->>(t.value->>1), json(r.value), 1), 0, t.key, r.key
      FROM json_each('[["chronos_entries","id",true],["chronos_holidays","id",true]]') AS t
      JOIN json_each(NEW.payload->'patch'->(t.value->>0)) AS r
      UNION ALL
      SELECT json_array(t.value->>0, r.value), 1, -t.key, r.key
      FROM json_each('[["chronos_entries","id",true],["chronos_holidays","id",true]]') AS t
      JOIN json_each(NEW.payload->'delete'->(t.value->>0)) AS r
      ORDER BY part, place, at))));
END;
--> statement-breakpoint
INSERT OR IGNORE INTO d1_migrations(name) VALUES ('fastest:0001_chronos_holidays.sql');
