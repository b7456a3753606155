CREATE TABLE fastest_meta(
  id integer PRIMARY KEY CHECK (id = 1),
  epoch text NOT NULL,
  created_at text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now'))
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
CREATE TABLE `projects`(
  `id` text PRIMARY KEY NOT NULL,
  `name` text NOT NULL,
  `stage` text NOT NULL DEFAULT 'planned'
);
--> statement-breakpoint
CREATE TABLE `schedule_tasks`(
  `id` text PRIMARY KEY NOT NULL,
  `project_id` text NOT NULL,
  `title` text NOT NULL,
  `start_date` text NOT NULL,
  `days` integer NOT NULL DEFAULT 1,
  `percent` real NOT NULL DEFAULT 0.0,
  FOREIGN KEY (`project_id`) REFERENCES `projects`(`id`) ON DELETE CASCADE
);
--> statement-breakpoint
CREATE INDEX `schedule_tasks_project_id_start_date_idx` ON `schedule_tasks`(`project_id`, `start_date`);
--> statement-breakpoint
CREATE TABLE `task_dependencies`(
  `id` text PRIMARY KEY NOT NULL,
  `task_id` text NOT NULL,
  `waits_for` text NOT NULL,
  FOREIGN KEY (`task_id`) REFERENCES `schedule_tasks`(`id`) ON DELETE CASCADE,
  FOREIGN KEY (`waits_for`) REFERENCES `schedule_tasks`(`id`) ON DELETE CASCADE
);
--> statement-breakpoint
CREATE UNIQUE INDEX `task_dependencies_task_id_waits_for_unique` ON `task_dependencies`(`task_id`, `waits_for`);
--> statement-breakpoint
CREATE TABLE `invoices`(
  `id` text PRIMARY KEY NOT NULL,
  `project_id` text NOT NULL,
  `due_date` text NOT NULL,
  `lines` text NOT NULL DEFAULT '[]',
  FOREIGN KEY (`project_id`) REFERENCES `projects`(`id`)
);
--> statement-breakpoint
CREATE TRIGGER `fastest_projects_insert` AFTER INSERT ON `projects` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT tbl, json_array(pk, scope), scope, version,
      (SELECT max(seq) + 1 FROM fastest_changes WHERE scope = moved.scope), 2
    FROM fastest_changes AS moved
    WHERE tbl = 'projects' AND pk = NEW.`id` AND scope IS NOT NEW.`id`
    ON CONFLICT(tbl, pk) DO UPDATE SET version = excluded.version, seq = excluded.seq;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'projects', NEW.`id`, NEW.`id`, 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = NEW.`id`), 0
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_projects_update` AFTER UPDATE OF `id`, `name`, `stage` ON `projects` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'projects', OLD.`id`, coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'projects' AND pk = OLD.`id`), OLD.`id`, ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'projects' AND pk = OLD.`id`), OLD.`id`, '')), 1
    WHERE OLD.`id` IS NOT NEW.`id`
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT tbl, json_array(pk, scope), scope, version,
      (SELECT max(seq) + 1 FROM fastest_changes WHERE scope = moved.scope), 2
    FROM fastest_changes AS moved
    WHERE tbl = 'projects' AND pk = NEW.`id` AND scope IS NOT NEW.`id`
    ON CONFLICT(tbl, pk) DO UPDATE SET version = excluded.version, seq = excluded.seq;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'projects', NEW.`id`, NEW.`id`, 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = NEW.`id`), 0
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_projects_delete` AFTER DELETE ON `projects` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'projects', OLD.`id`, coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'projects' AND pk = OLD.`id`), OLD.`id`, ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'projects' AND pk = OLD.`id`), OLD.`id`, '')), 1
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_schedule_tasks_insert` AFTER INSERT ON `schedule_tasks` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT tbl, json_array(pk, scope), scope, version,
      (SELECT max(seq) + 1 FROM fastest_changes WHERE scope = moved.scope), 2
    FROM fastest_changes AS moved
    WHERE tbl = 'schedule_tasks' AND pk = NEW.`id` AND scope IS NOT NEW.`project_id`
    ON CONFLICT(tbl, pk) DO UPDATE SET version = excluded.version, seq = excluded.seq;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'schedule_tasks', NEW.`id`, NEW.`project_id`, 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = NEW.`project_id`), 0
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_schedule_tasks_update` AFTER UPDATE OF `id`, `project_id`, `title`, `start_date`, `days`, `percent` ON `schedule_tasks` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'schedule_tasks', OLD.`id`, coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'schedule_tasks' AND pk = OLD.`id`), OLD.`project_id`, ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'schedule_tasks' AND pk = OLD.`id`), OLD.`project_id`, '')), 1
    WHERE OLD.`id` IS NOT NEW.`id`
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT tbl, json_array(pk, scope), scope, version,
      (SELECT max(seq) + 1 FROM fastest_changes WHERE scope = moved.scope), 2
    FROM fastest_changes AS moved
    WHERE tbl = 'schedule_tasks' AND pk = NEW.`id` AND scope IS NOT NEW.`project_id`
    ON CONFLICT(tbl, pk) DO UPDATE SET version = excluded.version, seq = excluded.seq;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'schedule_tasks', NEW.`id`, NEW.`project_id`, 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = NEW.`project_id`), 0
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_schedule_tasks_delete` AFTER DELETE ON `schedule_tasks` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'schedule_tasks', OLD.`id`, coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'schedule_tasks' AND pk = OLD.`id`), OLD.`project_id`, ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'schedule_tasks' AND pk = OLD.`id`), OLD.`project_id`, '')), 1
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_task_dependencies_insert` AFTER INSERT ON `task_dependencies` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT tbl, json_array(pk, scope), scope, version,
      (SELECT max(seq) + 1 FROM fastest_changes WHERE scope = moved.scope), 2
    FROM fastest_changes AS moved
    WHERE tbl = 'task_dependencies' AND pk = NEW.`id` AND scope IS NOT coalesce((SELECT coalesce(`project_id`, '') FROM `schedule_tasks` WHERE `id` = NEW.`task_id`), (SELECT scope FROM fastest_changes WHERE tbl = 'task_dependencies' AND pk = NEW.`id`), '')
    ON CONFLICT(tbl, pk) DO UPDATE SET version = excluded.version, seq = excluded.seq;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'task_dependencies', NEW.`id`, coalesce((SELECT coalesce(`project_id`, '') FROM `schedule_tasks` WHERE `id` = NEW.`task_id`), (SELECT scope FROM fastest_changes WHERE tbl = 'task_dependencies' AND pk = NEW.`id`), ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT coalesce(`project_id`, '') FROM `schedule_tasks` WHERE `id` = NEW.`task_id`), (SELECT scope FROM fastest_changes WHERE tbl = 'task_dependencies' AND pk = NEW.`id`), '')), 0
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_task_dependencies_update` AFTER UPDATE OF `id`, `task_id`, `waits_for` ON `task_dependencies` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'task_dependencies', OLD.`id`, coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'task_dependencies' AND pk = OLD.`id`), (SELECT coalesce(`project_id`, '') FROM `schedule_tasks` WHERE `id` = OLD.`task_id`), ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'task_dependencies' AND pk = OLD.`id`), (SELECT coalesce(`project_id`, '') FROM `schedule_tasks` WHERE `id` = OLD.`task_id`), '')), 1
    WHERE OLD.`id` IS NOT NEW.`id`
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT tbl, json_array(pk, scope), scope, version,
      (SELECT max(seq) + 1 FROM fastest_changes WHERE scope = moved.scope), 2
    FROM fastest_changes AS moved
    WHERE tbl = 'task_dependencies' AND pk = NEW.`id` AND scope IS NOT coalesce((SELECT coalesce(`project_id`, '') FROM `schedule_tasks` WHERE `id` = NEW.`task_id`), (SELECT scope FROM fastest_changes WHERE tbl = 'task_dependencies' AND pk = NEW.`id`), '')
    ON CONFLICT(tbl, pk) DO UPDATE SET version = excluded.version, seq = excluded.seq;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'task_dependencies', NEW.`id`, coalesce((SELECT coalesce(`project_id`, '') FROM `schedule_tasks` WHERE `id` = NEW.`task_id`), (SELECT scope FROM fastest_changes WHERE tbl = 'task_dependencies' AND pk = NEW.`id`), ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT coalesce(`project_id`, '') FROM `schedule_tasks` WHERE `id` = NEW.`task_id`), (SELECT scope FROM fastest_changes WHERE tbl = 'task_dependencies' AND pk = NEW.`id`), '')), 0
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_task_dependencies_delete` AFTER DELETE ON `task_dependencies` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'task_dependencies', OLD.`id`, coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'task_dependencies' AND pk = OLD.`id`), (SELECT coalesce(`project_id`, '') FROM `schedule_tasks` WHERE `id` = OLD.`task_id`), ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'task_dependencies' AND pk = OLD.`id`), (SELECT coalesce(`project_id`, '') FROM `schedule_tasks` WHERE `id` = OLD.`task_id`), '')), 1
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_task_dependencies_follow` AFTER UPDATE OF `project_id` ON `schedule_tasks`
WHEN OLD.`project_id` IS NOT NEW.`project_id` BEGIN
  UPDATE `task_dependencies` SET `task_id` = `task_id` WHERE `task_id` = NEW.`id`;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_invoices_insert` AFTER INSERT ON `invoices` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT tbl, json_array(pk, scope), scope, version,
      (SELECT max(seq) + 1 FROM fastest_changes WHERE scope = moved.scope), 2
    FROM fastest_changes AS moved
    WHERE tbl = 'invoices' AND pk = NEW.`id` AND scope IS NOT NEW.`project_id`
    ON CONFLICT(tbl, pk) DO UPDATE SET version = excluded.version, seq = excluded.seq;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'invoices', NEW.`id`, NEW.`project_id`, 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = NEW.`project_id`), 0
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_invoices_update` AFTER UPDATE OF `id`, `project_id`, `due_date`, `lines` ON `invoices` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'invoices', OLD.`id`, coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'invoices' AND pk = OLD.`id`), OLD.`project_id`, ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'invoices' AND pk = OLD.`id`), OLD.`project_id`, '')), 1
    WHERE OLD.`id` IS NOT NEW.`id`
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT tbl, json_array(pk, scope), scope, version,
      (SELECT max(seq) + 1 FROM fastest_changes WHERE scope = moved.scope), 2
    FROM fastest_changes AS moved
    WHERE tbl = 'invoices' AND pk = NEW.`id` AND scope IS NOT NEW.`project_id`
    ON CONFLICT(tbl, pk) DO UPDATE SET version = excluded.version, seq = excluded.seq;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'invoices', NEW.`id`, NEW.`project_id`, 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = NEW.`project_id`), 0
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_invoices_delete` AFTER DELETE ON `invoices` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'invoices', OLD.`id`, coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'invoices' AND pk = OLD.`id`), OLD.`project_id`, ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'invoices' AND pk = OLD.`id`), OLD.`project_id`, '')), 1
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE VIEW fastest_push AS SELECT NULL AS id, NULL AS device, NULL AS payload;
--> statement-breakpoint
CREATE TRIGGER fastest_push_apply INSTEAD OF INSERT ON fastest_push BEGIN
  SELECT RAISE(ABORT, 'fastest:payload_version') WHERE NEW.payload->>'v' IS NOT 1;
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
  SELECT RAISE(ABORT, 'fastest:unknown_table') FROM json_each(NEW.payload->'rows') WHERE key NOT IN ('projects','schedule_tasks','task_dependencies','invoices');
  SELECT RAISE(ABORT, 'fastest:unknown_table') FROM json_each(NEW.payload->'patch') WHERE key NOT IN ('projects','schedule_tasks','task_dependencies','invoices');
  SELECT RAISE(ABORT, 'fastest:unknown_table') FROM json_each(NEW.payload->'delete') WHERE key NOT IN ('projects','schedule_tasks','task_dependencies','invoices');
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.projects') UNION ALL SELECT value FROM json_each(NEW.payload->'$.patch.projects')) AS o, json_each(o._j) AS c WHERE c.key NOT IN ('id','name','stage');
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.schedule_tasks') UNION ALL SELECT value FROM json_each(NEW.payload->'$.patch.schedule_tasks')) AS o, json_each(o._j) AS c WHERE c.key NOT IN ('id','project_id','title','start_date','days','percent');
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.task_dependencies') UNION ALL SELECT value FROM json_each(NEW.payload->'$.patch.task_dependencies')) AS o, json_each(o._j) AS c WHERE c.key NOT IN ('id','task_id','waits_for');
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.invoices') UNION ALL SELECT value FROM json_each(NEW.payload->'$.patch.invoices')) AS o, json_each(o._j) AS c WHERE c.key NOT IN ('id','project_id','due_date','lines');
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM json_each(NEW.payload->'locks') AS l
    LEFT JOIN fastest_changes AS c ON c.tbl = l.value->>0 AND c.pk = l.value->>1
    WHERE coalesce(c.version, 0) IS NOT l.value->>2;
  SELECT RAISE(ABORT, 'fastest:lock_missing') FROM (
      SELECT value->>'id' AS k FROM json_each(NEW.payload->'$.rows.projects') UNION ALL SELECT value FROM json_each(NEW.payload->'$.delete.projects'))
    WHERE coalesce(k, '') NOT IN (SELECT value->>1 FROM json_each(NEW.payload->'locks')
      WHERE value->>0 = 'projects' AND value->>1 IS NOT NULL);
  SELECT RAISE(ABORT, 'fastest:lock_missing') FROM (
      SELECT value->>'id' AS k FROM json_each(NEW.payload->'$.rows.schedule_tasks') UNION ALL SELECT value FROM json_each(NEW.payload->'$.delete.schedule_tasks'))
    WHERE coalesce(k, '') NOT IN (SELECT value->>1 FROM json_each(NEW.payload->'locks')
      WHERE value->>0 = 'schedule_tasks' AND value->>1 IS NOT NULL);
  SELECT RAISE(ABORT, 'fastest:lock_missing') FROM (
      SELECT value->>'id' AS k FROM json_each(NEW.payload->'$.rows.task_dependencies') UNION ALL SELECT value FROM json_each(NEW.payload->'$.delete.task_dependencies'))
    WHERE coalesce(k, '') NOT IN (SELECT value->>1 FROM json_each(NEW.payload->'locks')
      WHERE value->>0 = 'task_dependencies' AND value->>1 IS NOT NULL);
  SELECT RAISE(ABORT, 'fastest:lock_missing') FROM (
      SELECT value->>'id' AS k FROM json_each(NEW.payload->'$.rows.invoices') UNION ALL SELECT value FROM json_each(NEW.payload->'$.delete.invoices'))
    WHERE coalesce(k, '') NOT IN (SELECT value->>1 FROM json_each(NEW.payload->'locks')
      WHERE value->>0 = 'invoices' AND value->>1 IS NOT NULL);
  UPDATE `projects` SET `name`=iif(json_type(_j,'$.name') IS NULL,`name`,_j->>'name'),`stage`=iif(json_type(_j,'$.stage') IS NULL,`stage`,_j->>'stage')
    FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.projects') UNION ALL SELECT value FROM json_each(NEW.payload->'$.patch.projects')) WHERE `id` = _j->>'id';
  INSERT INTO `projects`(`id`,`name`,`stage`)
    SELECT _j->>'id',_j->>'name',coalesce(_j->>'stage','planned')
    FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.projects')) WHERE NOT EXISTS (SELECT 1 FROM `projects` WHERE `id` = _j->>'id');
  UPDATE `schedule_tasks` SET `project_id`=iif(json_type(_j,'$.project_id') IS NULL,`project_id`,_j->>'project_id'),`title`=iif(json_type(_j,'$.title') IS NULL,`title`,_j->>'title'),`start_date`=iif(json_type(_j,'$.start_date') IS NULL,`start_date`,_j->>'start_date'),`days`=iif(json_type(_j,'$.days') IS NULL,`days`,_j->>'days'),`percent`=iif(json_type(_j,'$.percent') IS NULL,`percent`,_j->>'percent')
    FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.schedule_tasks') UNION ALL SELECT value FROM json_each(NEW.payload->'$.patch.schedule_tasks')) WHERE `id` = _j->>'id';
  INSERT INTO `schedule_tasks`(`id`,`project_id`,`title`,`start_date`,`days`,`percent`)
    SELECT _j->>'id',_j->>'project_id',_j->>'title',_j->>'start_date',coalesce(_j->>'days',1),coalesce(_j->>'percent',0.0)
    FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.schedule_tasks')) WHERE NOT EXISTS (SELECT 1 FROM `schedule_tasks` WHERE `id` = _j->>'id');
  UPDATE `task_dependencies` SET `task_id`=iif(json_type(_j,'$.task_id') IS NULL,`task_id`,_j->>'task_id'),`waits_for`=iif(json_type(_j,'$.waits_for') IS NULL,`waits_for`,_j->>'waits_for')
    FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.task_dependencies') UNION ALL SELECT value FROM json_each(NEW.payload->'$.patch.task_dependencies')) WHERE `id` = _j->>'id';
  INSERT INTO `task_dependencies`(`id`,`task_id`,`waits_for`)
    SELECT _j->>'id',_j->>'task_id',_j->>'waits_for'
    FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.task_dependencies')) WHERE NOT EXISTS (SELECT 1 FROM `task_dependencies` WHERE `id` = _j->>'id');
  UPDATE `invoices` SET `project_id`=iif(json_type(_j,'$.project_id') IS NULL,`project_id`,_j->>'project_id'),`due_date`=iif(json_type(_j,'$.due_date') IS NULL,`due_date`,_j->>'due_date'),`lines`=iif(json_type(_j,'$.lines') IS NULL,`lines`,_j->>'lines')
    FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.invoices') UNION ALL SELECT value FROM json_each(NEW.payload->'$.patch.invoices')) WHERE `id` = _j->>'id';
  INSERT INTO `invoices`(`id`,`project_id`,`due_date`,`lines`)
    SELECT _j->>'id',_j->>'project_id',_j->>'due_date',coalesce(_j->>'lines','[]')
    FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.invoices')) WHERE NOT EXISTS (SELECT 1 FROM `invoices` WHERE `id` = _j->>'id');
  DELETE FROM `invoices` WHERE `id` IN (SELECT value FROM json_each(NEW.payload->'$.delete.invoices'));
  DELETE FROM `task_dependencies` WHERE `id` IN (SELECT value FROM json_each(NEW.payload->'$.delete.task_dependencies'));
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM json_each(NEW.payload->'$.delete.schedule_tasks') AS d
    CROSS JOIN `task_dependencies` AS c ON c.`task_id` = d.value
    WHERE c.`id` NOT IN (SELECT value->>1 FROM json_each(NEW.payload->'locks')
      WHERE value->>0 = 'task_dependencies' AND value->>1 IS NOT NULL);
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM json_each(NEW.payload->'$.delete.schedule_tasks') AS d
    CROSS JOIN `task_dependencies` AS c ON c.`waits_for` = d.value
    WHERE c.`id` NOT IN (SELECT value->>1 FROM json_each(NEW.payload->'locks')
      WHERE value->>0 = 'task_dependencies' AND value->>1 IS NOT NULL);
  DELETE FROM `schedule_tasks` WHERE `id` IN (SELECT value FROM json_each(NEW.payload->'$.delete.schedule_tasks'));
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM json_each(NEW.payload->'$.delete.projects') AS d
    CROSS JOIN `schedule_tasks` AS c ON c.`project_id` = d.value
    WHERE c.`id` NOT IN (SELECT value->>1 FROM json_each(NEW.payload->'locks')
      WHERE value->>0 = 'schedule_tasks' AND value->>1 IS NOT NULL);
  DELETE FROM `projects` WHERE `id` IN (SELECT value FROM json_each(NEW.payload->'$.delete.projects'));
  INSERT INTO fastest_pushes(id, device, counter)
    VALUES (NEW.id, NEW.device, NEW.payload->>'counter');
  DELETE FROM fastest_pushes
    WHERE device = NEW.device AND counter <= (NEW.payload->>'counter') - 1000;
END;
