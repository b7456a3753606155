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
DROP TRIGGER `fastest_push_apply`;
--> statement-breakpoint
CREATE VIEW `fastest_row_projects` AS SELECT t.`id` AS pk,
  0+length(t.`id`)+length(t.`name`)+length(t.`stage`) AS size,
  '['||
  iif(typeof(t.`id`)='blob','{"blob":"'||hex(t.`id`)||'"}',json_quote(t.`id`))||','||
  iif(typeof(t.`name`)='blob','{"blob":"'||hex(t.`name`)||'"}',json_quote(t.`name`))||','||
  iif(typeof(t.`stage`)='blob','{"blob":"'||hex(t.`stage`)||'"}',json_quote(t.`stage`))||']' AS row_59547f1e
FROM `projects` AS t;
--> statement-breakpoint
CREATE VIEW `fastest_row_schedule_tasks` AS SELECT t.`id` AS pk,
  20+length(t.`id`)+length(t.`project_id`)+length(t.`title`)+length(t.`start_date`) AS size,
  '['||
  iif(typeof(t.`id`)='blob','{"blob":"'||hex(t.`id`)||'"}',json_quote(t.`id`))||','||
  iif(typeof(t.`project_id`)='blob','{"blob":"'||hex(t.`project_id`)||'"}',json_quote(t.`project_id`))||','||
  iif(typeof(t.`title`)='blob','{"blob":"'||hex(t.`title`)||'"}',json_quote(t.`title`))||','||
  iif(typeof(t.`start_date`)='blob','{"blob":"'||hex(t.`start_date`)||'"}',json_quote(t.`start_date`))||','||
  CASE typeof(t.`days`) WHEN 'real' THEN '["real",'||json_quote(CAST(t.`days` AS TEXT))||']' WHEN 'blob' THEN '{"blob":"'||hex(t.`days`)||'"}' ELSE json_quote(t.`days`) END ||','||
  CASE typeof(t.`percent`) WHEN 'real' THEN CASE WHEN abs(t.`percent`)<9007199254740992 AND t.`percent`=CAST(t.`percent` AS INTEGER) THEN CAST(t.`percent` AS INTEGER) WHEN t.`percent`*0.5=t.`percent` THEN iif(t.`percent`<0,'[-1,1024]','[1,1024]') ELSE (SELECT '['||CAST(t.`percent`*(SELECT power FROM fastest_powers WHERE exponent=(52-p.exponent)/2)*(SELECT power FROM fastest_powers WHERE exponent=52-p.exponent-(52-p.exponent)/2) AS INTEGER)||','||(p.exponent-52)||']' FROM (SELECT CAST(substr(printf('%.0e',abs(t.`percent`)),3) AS INTEGER)*3322/1000 AS n) CROSS JOIN fastest_powers AS p ON p.exponent BETWEEN n-5 AND n+5 WHERE p.power<=abs(t.`percent`) ORDER BY p.exponent DESC LIMIT 1) END WHEN 'blob' THEN '{"blob":"'||hex(t.`percent`)||'"}' ELSE json_quote(t.`percent`) END ||']' AS row_d6d2ad9b
FROM `schedule_tasks` AS t;
--> statement-breakpoint
CREATE VIEW `fastest_row_task_dependencies` AS SELECT t.`id` AS pk,
  0+length(t.`id`)+length(t.`task_id`)+length(t.`waits_for`) AS size,
  '['||
  iif(typeof(t.`id`)='blob','{"blob":"'||hex(t.`id`)||'"}',json_quote(t.`id`))||','||
  iif(typeof(t.`task_id`)='blob','{"blob":"'||hex(t.`task_id`)||'"}',json_quote(t.`task_id`))||','||
  iif(typeof(t.`waits_for`)='blob','{"blob":"'||hex(t.`waits_for`)||'"}',json_quote(t.`waits_for`))||']' AS row_6a40ed1f
FROM `task_dependencies` AS t;
--> statement-breakpoint
CREATE VIEW `fastest_row_invoices` AS SELECT t.`id` AS pk,
  0+length(t.`id`)+length(t.`project_id`)+length(t.`due_date`)+length(t.`lines`) AS size,
  '['||
  iif(typeof(t.`id`)='blob','{"blob":"'||hex(t.`id`)||'"}',json_quote(t.`id`))||','||
  iif(typeof(t.`project_id`)='blob','{"blob":"'||hex(t.`project_id`)||'"}',json_quote(t.`project_id`))||','||
  iif(typeof(t.`due_date`)='blob','{"blob":"'||hex(t.`due_date`)||'"}',json_quote(t.`due_date`))||','||
  iif(typeof(t.`lines`)='blob','{"blob":"'||hex(t.`lines`)||'"}',json_quote(t.`lines`))||']' AS row_c56f00fb
FROM `invoices` AS t;
--> statement-breakpoint
CREATE VIEW fastest_push_op AS SELECT NULL AS tbl, NULL AS pk, NULL AS columns, NULL AS patch;
--> statement-breakpoint
CREATE TRIGGER `fastest_push_op_projects` INSTEAD OF INSERT ON fastest_push_op WHEN NEW.tbl = 'projects' BEGIN
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM json_each(NEW.columns) WHERE key NOT IN ('id','name','stage');
  SELECT RAISE(ABORT, 'fastest:payload_invalid') FROM json_each(NEW.columns)
    WHERE type IN ('array', 'object')
      AND NOT (key IN ('id','name','stage') AND json_type(value, '$.blob') IS NULL)
      OR key = 'id' AND atom IS NOT NEW.pk;
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM fastest_changes WHERE tbl='projects' AND pk=NEW.pk AND deleted=0
    AND NEW.patch IS NULL AND NOT EXISTS (SELECT 1 FROM `projects` WHERE `id` = NEW.pk);
  UPDATE `projects` SET `id`=`id`,`name`=iif(json_type(NEW.columns,'$.name') IS NOT NULL,NEW.columns->>'name',`name`),`stage`=iif(json_type(NEW.columns,'$.stage') IS NOT NULL,NEW.columns->>'stage',`stage`)
    WHERE `id` = NEW.pk AND NEW.columns IS NOT NULL;
  INSERT INTO `projects`(`id`,`name`,`stage`)
    SELECT NEW.pk,NEW.columns->>'name',coalesce(NEW.columns->>'stage','planned')
    WHERE NEW.columns IS NOT NULL AND NEW.patch IS NULL AND NOT EXISTS (SELECT 1 FROM `projects` WHERE `id` = NEW.pk);
  DELETE FROM `projects` WHERE `id` = NEW.pk AND NEW.columns IS NULL;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_push_op_schedule_tasks` INSTEAD OF INSERT ON fastest_push_op WHEN NEW.tbl = 'schedule_tasks' BEGIN
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM json_each(NEW.columns) WHERE key NOT IN ('id','project_id','title','start_date','days','percent');
  SELECT RAISE(ABORT, 'fastest:payload_invalid') FROM json_each(NEW.columns)
    WHERE type IN ('array', 'object')
      AND NOT (key IN ('id','project_id','title','start_date') AND json_type(value, '$.blob') IS NULL)
      AND NOT (type = 'array' AND key IN ('percent') AND json_array_length(value) = 2
      AND json_type(value, '$[0]') IS 'integer'
      AND EXISTS (SELECT 1 FROM fastest_powers WHERE exponent = value->>1)
      AND NOT (value->>0 = 0 AND value->>1 = 1024))
      OR key = 'id' AND atom IS NOT NEW.pk;
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM fastest_changes WHERE tbl='schedule_tasks' AND pk=NEW.pk AND deleted=0
    AND NEW.patch IS NULL AND NOT EXISTS (SELECT 1 FROM `schedule_tasks` WHERE `id` = NEW.pk);
  UPDATE `schedule_tasks` SET `id`=`id`,`project_id`=iif(json_type(NEW.columns,'$.project_id') IS NOT NULL,NEW.columns->>'project_id',`project_id`),`title`=iif(json_type(NEW.columns,'$.title') IS NOT NULL,NEW.columns->>'title',`title`),`start_date`=iif(json_type(NEW.columns,'$.start_date') IS NOT NULL,NEW.columns->>'start_date',`start_date`),`days`=iif(json_type(NEW.columns,'$.days') IS NOT NULL,NEW.columns->>'days',`days`),`percent`=iif(json_type(NEW.columns,'$.percent') IS NOT NULL,iif(json_type(NEW.columns,'$.percent')='array',(NEW.columns->>'$.percent[0]')*(SELECT power FROM fastest_powers WHERE exponent=NEW.columns->>'$.percent[1]'),NEW.columns->>'percent'),`percent`)
    WHERE `id` = NEW.pk AND NEW.columns IS NOT NULL;
  INSERT INTO `schedule_tasks`(`id`,`project_id`,`title`,`start_date`,`days`,`percent`)
    SELECT NEW.pk,NEW.columns->>'project_id',NEW.columns->>'title',NEW.columns->>'start_date',coalesce(NEW.columns->>'days',1),coalesce(iif(json_type(NEW.columns,'$.percent')='array',(NEW.columns->>'$.percent[0]')*(SELECT power FROM fastest_powers WHERE exponent=NEW.columns->>'$.percent[1]'),NEW.columns->>'percent'),0.0)
    WHERE NEW.columns IS NOT NULL AND NEW.patch IS NULL AND NOT EXISTS (SELECT 1 FROM `schedule_tasks` WHERE `id` = NEW.pk);
  DELETE FROM `schedule_tasks` WHERE `id` = NEW.pk AND NEW.columns IS NULL;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_push_op_task_dependencies` INSTEAD OF INSERT ON fastest_push_op WHEN NEW.tbl = 'task_dependencies' BEGIN
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM json_each(NEW.columns) WHERE key NOT IN ('id','task_id','waits_for');
  SELECT RAISE(ABORT, 'fastest:payload_invalid') FROM json_each(NEW.columns)
    WHERE type IN ('array', 'object')
      AND NOT (key IN ('id','task_id','waits_for') AND json_type(value, '$.blob') IS NULL)
      OR key = 'id' AND atom IS NOT NEW.pk;
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM fastest_changes WHERE tbl='task_dependencies' AND pk=NEW.pk AND deleted=0
    AND NEW.patch IS NULL AND NOT EXISTS (SELECT 1 FROM `task_dependencies` WHERE `id` = NEW.pk);
  UPDATE `task_dependencies` SET `id`=`id`,`task_id`=iif(json_type(NEW.columns,'$.task_id') IS NOT NULL,NEW.columns->>'task_id',`task_id`),`waits_for`=iif(json_type(NEW.columns,'$.waits_for') IS NOT NULL,NEW.columns->>'waits_for',`waits_for`)
    WHERE `id` = NEW.pk AND NEW.columns IS NOT NULL;
  INSERT INTO `task_dependencies`(`id`,`task_id`,`waits_for`)
    SELECT NEW.pk,NEW.columns->>'task_id',NEW.columns->>'waits_for'
    WHERE NEW.columns IS NOT NULL AND NEW.patch IS NULL AND NOT EXISTS (SELECT 1 FROM `task_dependencies` WHERE `id` = NEW.pk);
  DELETE FROM `task_dependencies` WHERE `id` = NEW.pk AND NEW.columns IS NULL;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_push_op_invoices` INSTEAD OF INSERT ON fastest_push_op WHEN NEW.tbl = 'invoices' BEGIN
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM json_each(NEW.columns) WHERE key NOT IN ('id','project_id','due_date','lines');
  SELECT RAISE(ABORT, 'fastest:payload_invalid') FROM json_each(NEW.columns)
    WHERE type IN ('array', 'object')
      AND NOT (key IN ('id','project_id','due_date','lines') AND json_type(value, '$.blob') IS NULL)
      OR key = 'id' AND atom IS NOT NEW.pk;
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM fastest_changes WHERE tbl='invoices' AND pk=NEW.pk AND deleted=0
    AND NEW.patch IS NULL AND NOT EXISTS (SELECT 1 FROM `invoices` WHERE `id` = NEW.pk);
  UPDATE `invoices` SET `id`=`id`,`project_id`=iif(json_type(NEW.columns,'$.project_id') IS NOT NULL,NEW.columns->>'project_id',`project_id`),`due_date`=iif(json_type(NEW.columns,'$.due_date') IS NOT NULL,NEW.columns->>'due_date',`due_date`),`lines`=iif(json_type(NEW.columns,'$.lines') IS NOT NULL,NEW.columns->>'lines',`lines`)
    WHERE `id` = NEW.pk AND NEW.columns IS NOT NULL;
  INSERT INTO `invoices`(`id`,`project_id`,`due_date`,`lines`)
    SELECT NEW.pk,NEW.columns->>'project_id',NEW.columns->>'due_date',coalesce(NEW.columns->>'lines','[]')
    WHERE NEW.columns IS NOT NULL AND NEW.patch IS NULL AND NOT EXISTS (SELECT 1 FROM `invoices` WHERE `id` = NEW.pk);
  DELETE FROM `invoices` WHERE `id` = NEW.pk AND NEW.columns IS NULL;
END;
--> statement-breakpoint
CREATE VIEW fastest_push_delete AS SELECT NULL AS tbl, NULL AS keys, NULL AS locked;
--> statement-breakpoint
CREATE TRIGGER `fastest_push_delete_projects` INSTEAD OF INSERT ON fastest_push_delete WHEN NEW.tbl = 'projects' BEGIN
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM json_each(NEW.keys) AS d
    CROSS JOIN `schedule_tasks` AS c ON c.`project_id` = d.value
    WHERE c.`id` NOT IN (SELECT value->>1 FROM json_each(NEW.locked)
      WHERE value->>0 = 'schedule_tasks' AND value->>1 IS NOT NULL);
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_push_delete_schedule_tasks` INSTEAD OF INSERT ON fastest_push_delete WHEN NEW.tbl = 'schedule_tasks' BEGIN
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM json_each(NEW.keys) AS d
    CROSS JOIN `task_dependencies` AS c ON c.`task_id` = d.value
    WHERE c.`id` NOT IN (SELECT value->>1 FROM json_each(NEW.locked)
      WHERE value->>0 = 'task_dependencies' AND value->>1 IS NOT NULL);
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM json_each(NEW.keys) AS d
    CROSS JOIN `task_dependencies` AS c ON c.`waits_for` = d.value
    WHERE c.`id` NOT IN (SELECT value->>1 FROM json_each(NEW.locked)
      WHERE value->>0 = 'task_dependencies' AND value->>1 IS NOT NULL);
END;
--> statement-breakpoint
CREATE VIEW fastest_push_2 AS SELECT NULL AS id, NULL AS device, NULL AS payload;
--> statement-breakpoint
CREATE TRIGGER fastest_push_2_apply INSTEAD OF INSERT ON fastest_push_2 BEGIN
  SELECT RAISE(ABORT, 'fastest:payload_version') WHERE NEW.payload->>'v' IS NOT 2;
  SELECT RAISE(IGNORE) FROM fastest_pushes WHERE id = NEW.id;
  SELECT RAISE(ABORT, 'fastest:payload_invalid') WHERE json_type(NEW.payload, '$.counter') IS NOT 'integer';
  SELECT RAISE(ABORT, 'fastest:device_counter') FROM fastest_pushes WHERE device = NEW.device AND counter >= NEW.payload->>'counter';
  SELECT RAISE(ABORT, 'fastest:restored') FROM fastest_meta
    WHERE NEW.payload->>'epoch' IS NOT NULL AND epoch IS NOT NEW.payload->>'epoch';
  SELECT RAISE(ABORT, 'fastest:restored') WHERE NEW.payload->>'after' IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM fastest_pushes WHERE id = NEW.payload->>'after');
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
    WHERE value->>0 NOT IN ('projects','schedule_tasks','task_dependencies','invoices') OR value->>3 IS NOT NULL AND value->>0 NOT IN ('projects','schedule_tasks','task_dependencies','invoices');
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM json_each(NEW.payload->'locks') AS l
    LEFT JOIN fastest_changes AS c ON c.tbl = l.value->>0 AND c.pk = l.value->>1
    WHERE coalesce(c.version, 0) IS NOT l.value->>2;
  SELECT RAISE(ABORT, 'fastest:lock_missing') FROM json_each(NEW.payload->'ops')
    WHERE value->>0 IN ('projects','schedule_tasks','task_dependencies','invoices') AND value->>3 IS NULL AND (value->>0, value->>1) NOT IN (
      SELECT value->>0, value->>1 FROM json_each(NEW.payload->'locks')
      WHERE value->>0 IS NOT NULL AND value->>1 IS NOT NULL);
  INSERT INTO fastest_push_delete(tbl, keys, locked)
    SELECT value->>0, json_group_array(value->>1), NEW.payload->'locks'
    FROM json_each(NEW.payload->'ops') WHERE json_type(value, '$[2]') IS NULL GROUP BY value->>0;
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
  DELETE FROM fastest_pushes
    WHERE device = NEW.device AND counter <= (NEW.payload->>'counter') - 1000;
END;
--> statement-breakpoint
CREATE TRIGGER fastest_push_apply INSTEAD OF INSERT ON fastest_push BEGIN
  SELECT RAISE(ABORT, 'fastest:payload_version') WHERE NEW.payload->>'v' IS NOT 1;
  SELECT RAISE(IGNORE) FROM fastest_pushes WHERE id = NEW.id;
  SELECT RAISE(ABORT, 'fastest:unknown_table') FROM json_each(NEW.payload->'rows') WHERE key NOT IN (SELECT value->>0 FROM json_each('[["projects","id",true],["schedule_tasks","id",true],["task_dependencies","id",true],["invoices","id",true]]'));
  SELECT RAISE(ABORT, 'fastest:unknown_table') FROM json_each(NEW.payload->'patch') WHERE key NOT IN (SELECT value->>0 FROM json_each('[["projects","id",true],["schedule_tasks","id",true],["task_dependencies","id",true],["invoices","id",true]]') WHERE value->>2);
  SELECT RAISE(ABORT, 'fastest:unknown_table') FROM json_each(NEW.payload->'delete') WHERE key NOT IN (SELECT value->>0 FROM json_each('[["projects","id",true],["schedule_tasks","id",true],["task_dependencies","id",true],["invoices","id",true]]'));
  INSERT INTO fastest_push_2(id, device, payload)
    SELECT NEW.id, NEW.device, json_set(json_remove(NEW.payload, '$.rows', '$.patch', '$.delete'),
      '$.v', 2, '$.ops', json((SELECT json_group_array(json(op)) FROM (
      SELECT json_array(t.value->>0, iif(t.value->>2, coalesce(r.value->>(t.value->>1), ''),
        r.value->>(t.value->>1)), json(r.value)) AS op, 0 AS part, t.key AS place, r.key AS at
      FROM json_each('[["projects","id",true],["schedule_tasks","id",true],["task_dependencies","id",true],["invoices","id",true]]') AS t
      JOIN json_each(NEW.payload->'rows'->(t.value->>0)) AS r
      UNION ALL
      SELECT json_array(t.value->>0, r.value->>(t.value->>1), json(r.value), 1), 0, t.key, r.key
      FROM json_each('[["projects","id",true],["schedule_tasks","id",true],["task_dependencies","id",true],["invoices","id",true]]') AS t
      JOIN json_each(NEW.payload->'patch'->(t.value->>0)) AS r
      UNION ALL
      SELECT json_array(t.value->>0, r.value), 1, -t.key, r.key
      FROM json_each('[["projects","id",true],["schedule_tasks","id",true],["task_dependencies","id",true],["invoices","id",true]]') AS t
      JOIN json_each(NEW.payload->'delete'->(t.value->>0)) AS r
      ORDER BY part, place, at))));
END;
