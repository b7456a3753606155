CREATE TABLE fastest_meta(
  id integer PRIMARY KEY CHECK (id = 1),
  epoch text NOT NULL,
  created_at text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  last_push text
);
--> statement-breakpoint
INSERT INTO fastest_meta(id, epoch) VALUES (1, lower(hex(randomblob(16))));
--> statement-breakpoint
CREATE TABLE fastest_pushes(
  id text PRIMARY KEY NOT NULL,
  device text NOT NULL,
  counter integer NOT NULL,
  at text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now'))
) WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX fastest_pushes_device_counter ON fastest_pushes(device, counter);
--> statement-breakpoint
CREATE TABLE fastest_changes(
  tbl text NOT NULL,
  pk text NOT NULL,
  scope text NOT NULL,
  version integer NOT NULL,
  seq integer NOT NULL,
  deleted integer NOT NULL DEFAULT 0,
  PRIMARY KEY (tbl, pk)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX fastest_changes_scope_seq ON fastest_changes(scope, seq);
--> statement-breakpoint
CREATE TABLE fastest_exponents(exponent integer PRIMARY KEY);
--> statement-breakpoint
INSERT INTO fastest_exponents(exponent)
  WITH RECURSIVE every(exponent) AS (
    SELECT -1074 UNION ALL SELECT exponent + 1 FROM every WHERE exponent < 1024
  )
  SELECT exponent FROM every;
--> statement-breakpoint
CREATE VIEW fastest_powers AS
  SELECT exponent, iif(exponent < 0, 1.0/p/q, p*q) AS power FROM (
    SELECT exponent, iif(a&1,2.0,1.0)*iif(a&2,4.0,1.0)*iif(a&4,16.0,1.0)*iif(a&8,256.0,1.0)*iif(a&16,65536.0,1.0)*iif(a&32,4294967296.0,1.0)*iif(a&64,4294967296.0*4294967296.0,1.0)*iif(a&128,4294967296.0*4294967296.0*4294967296.0*4294967296.0,1.0)*iif(a&256,4294967296.0*4294967296.0*4294967296.0*4294967296.0*4294967296.0*4294967296.0*4294967296.0*4294967296.0,1.0)*iif(a&512,4294967296.0*4294967296.0*4294967296.0*4294967296.0*4294967296.0*4294967296.0*4294967296.0*4294967296.0*4294967296.0*4294967296.0*4294967296.0*4294967296.0*4294967296.0*4294967296.0*4294967296.0*4294967296.0,1.0) AS p, iif(b&1,2.0,1.0)*iif(b&2,4.0,1.0)*iif(b&4,16.0,1.0)*iif(b&8,256.0,1.0)*iif(b&16,65536.0,1.0)*iif(b&32,4294967296.0,1.0)*iif(b&64,4294967296.0*4294967296.0,1.0)*iif(b&128,4294967296.0*4294967296.0*4294967296.0*4294967296.0,1.0)*iif(b&256,4294967296.0*4294967296.0*4294967296.0*4294967296.0*4294967296.0*4294967296.0*4294967296.0*4294967296.0,1.0)*iif(b&512,4294967296.0*4294967296.0*4294967296.0*4294967296.0*4294967296.0*4294967296.0*4294967296.0*4294967296.0*4294967296.0*4294967296.0*4294967296.0*4294967296.0*4294967296.0*4294967296.0*4294967296.0*4294967296.0,1.0) AS q FROM (
      SELECT exponent, abs(exponent)/2 AS a, abs(exponent) - abs(exponent)/2 AS b
      FROM fastest_exponents));
--> statement-breakpoint
CREATE TABLE `chronos_entries`(
  `id` text PRIMARY KEY NOT NULL,
  `team` text NOT NULL,
  `minutes` integer NOT NULL
);
--> statement-breakpoint
CREATE TRIGGER `fastest_chronos_entries_insert` AFTER INSERT ON `chronos_entries` BEGIN
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
CREATE TRIGGER `fastest_chronos_entries_update` AFTER UPDATE OF `id`, `team`, `minutes` ON `chronos_entries` BEGIN
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
CREATE TRIGGER `fastest_chronos_entries_delete` AFTER DELETE ON `chronos_entries` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'chronos_entries', OLD.`id`, coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'chronos_entries' AND pk = OLD.`id`), OLD.`team`, ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'chronos_entries' AND pk = OLD.`id`), OLD.`team`, '')), 1
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE VIEW `fastest_row_chronos_entries` AS SELECT t.`id` AS pk,
  10+length(t.`id`)+length(t.`team`) AS size,
  '['||
  iif(typeof(t.`id`)='blob','{"blob":"'||hex(t.`id`)||'"}',json_quote(t.`id`))||','||
  iif(typeof(t.`team`)='blob','{"blob":"'||hex(t.`team`)||'"}',json_quote(t.`team`))||','||
  CASE typeof(t.`minutes`) WHEN 'real' THEN '["real",'||json_quote(CAST(t.`minutes` AS TEXT))||']' WHEN 'blob' THEN '{"blob":"'||hex(t.`minutes`)||'"}' ELSE json_quote(t.`minutes`) END ||']' AS row_500c3561
FROM `chronos_entries` AS t;
--> statement-breakpoint
CREATE VIEW fastest_push_op AS SELECT NULL AS tbl, NULL AS pk, NULL AS columns, NULL AS patch;
--> statement-breakpoint
CREATE TRIGGER `fastest_push_op_chronos_entries` INSTEAD OF INSERT ON fastest_push_op WHEN NEW.tbl = 'chronos_entries' BEGIN
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM json_each(NEW.columns) WHERE key NOT IN ('id','team','minutes');
  SELECT RAISE(ABORT, 'fastest:payload_invalid') FROM json_each(NEW.columns)
    WHERE type IN ('array', 'object')
      AND NOT (key IN ('id','team') AND json_type(value, '$.blob') IS NULL)
      OR key = 'id' AND atom IS NOT NEW.pk;
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM fastest_changes WHERE tbl='chronos_entries' AND pk=NEW.pk AND deleted=0
    AND NEW.patch IS NULL AND NOT EXISTS (SELECT 1 FROM `chronos_entries` WHERE `id` = NEW.pk);
  UPDATE `chronos_entries` SET `id`=`id`,`team`=iif(json_type(NEW.columns,'$.team') IS NOT NULL,NEW.columns->>'team',`team`),`minutes`=iif(json_type(NEW.columns,'$.minutes') IS NOT NULL,NEW.columns->>'minutes',`minutes`)
    WHERE `id` = NEW.pk AND NEW.columns IS NOT NULL;
  INSERT INTO `chronos_entries`(`id`,`team`,`minutes`)
    SELECT NEW.pk,NEW.columns->>'team',NEW.columns->>'minutes'
    WHERE NEW.columns IS NOT NULL AND NEW.patch IS NULL AND NOT EXISTS (SELECT 1 FROM `chronos_entries` WHERE `id` = NEW.pk);
  DELETE FROM `chronos_entries` WHERE `id` = NEW.pk AND NEW.columns IS NULL;
END;
--> statement-breakpoint
CREATE VIEW fastest_push_2 AS SELECT NULL AS id, NULL AS device, NULL AS payload;
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
    WHERE value->>0 NOT IN ('chronos_entries') OR value->>3 IS NOT NULL AND value->>0 NOT IN ('chronos_entries');
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM json_each(NEW.payload->'locks') AS l
    LEFT JOIN fastest_changes AS c ON c.tbl = l.value->>0 AND c.pk = l.value->>1
    WHERE coalesce(c.version, 0) IS NOT l.value->>2;
  SELECT RAISE(ABORT, 'fastest:lock_missing') FROM json_each(NEW.payload->'ops')
    WHERE value->>0 IN ('chronos_entries') AND value->>3 IS NULL AND (value->>0, value->>1) NOT IN (
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
CREATE VIEW fastest_push AS SELECT NULL AS id, NULL AS device, NULL AS payload;
--> statement-breakpoint
CREATE TRIGGER fastest_push_apply INSTEAD OF INSERT ON fastest_push BEGIN
  SELECT RAISE(ABORT, 'fastest:payload_version') WHERE NEW.payload->>'v' IS NOT 1;
  SELECT RAISE(IGNORE) FROM fastest_pushes WHERE id = NEW.id;
  SELECT RAISE(ABORT, 'fastest:unknown_table') FROM json_each(NEW.payload->'rows') WHERE key NOT IN (SELECT value->>0 FROM json_each('[["chronos_entries","id",true]]'));
  SELECT RAISE(ABORT, 'fastest:unknown_table') FROM json_each(NEW.payload->'patch') WHERE key NOT IN (SELECT value->>0 FROM json_each('[["chronos_entries","id",true]]') WHERE value->>2);
  SELECT RAISE(ABORT, 'fastest:unknown_table') FROM json_each(NEW.payload->'delete') WHERE key NOT IN (SELECT value->>0 FROM json_each('[["chronos_entries","id",true]]'));
  INSERT INTO fastest_push_2(id, device, payload)
    SELECT NEW.id, NEW.device, json_set(json_remove(NEW.payload, '$.rows', '$.patch', '$.delete'),
      '$.v', 2, '$.ops', json((SELECT json_group_array(json(op)) FROM (
      SELECT json_array(t.value->>0, iif(t.value->>2, coalesce(r.value->>(t.value->>1), ''),
        r.value->>(t.value->>1)), json(r.value)) AS op, 0 AS part, t.key AS place, r.key AS at
      FROM json_each('[["chronos_entries","id",true]]') AS t
      JOIN json_each(NEW.payload->'rows'->(t.value->>0)) AS r
      UNION ALL
      SELECT json_array(t.value->>0, r.value->>(t.value->>1), json(r.value), 1), 0, t.key, r.key
      FROM json_each('[["chronos_entries","id",true]]') AS t
      JOIN json_each(NEW.payload->'patch'->(t.value->>0)) AS r
      UNION ALL
      SELECT json_array(t.value->>0, r.value), 1, -t.key, r.key
      FROM json_each('[["chronos_entries","id",true]]') AS t
      JOIN json_each(NEW.payload->'delete'->(t.value->>0)) AS r
      ORDER BY part, place, at))));
END;
--> statement-breakpoint
INSERT OR IGNORE INTO d1_migrations(name) VALUES ('fastest:0000_chronos_init.sql');
