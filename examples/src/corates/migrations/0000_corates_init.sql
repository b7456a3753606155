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
CREATE TABLE `organizations`(
  `id` text PRIMARY KEY NOT NULL,
  `name` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `members`(
  `id` text PRIMARY KEY NOT NULL,
  `organization_id` text NOT NULL,
  `email` text NOT NULL,
  `role` text NOT NULL DEFAULT 'member',
  FOREIGN KEY (`organization_id`) REFERENCES `organizations`(`id`) ON DELETE CASCADE
);
--> statement-breakpoint
CREATE UNIQUE INDEX `members_organization_id_email_unique` ON `members`(`organization_id`, `email`);
--> statement-breakpoint
CREATE TABLE `invitations`(
  `id` text PRIMARY KEY NOT NULL,
  `organization_id` text NOT NULL,
  `email` text NOT NULL,
  `role` text NOT NULL,
  `invited_by` text NOT NULL,
  `expires_at` text NOT NULL,
  FOREIGN KEY (`organization_id`) REFERENCES `organizations`(`id`) ON DELETE CASCADE,
  FOREIGN KEY (`invited_by`) REFERENCES `members`(`id`) ON DELETE CASCADE
);
--> statement-breakpoint
CREATE UNIQUE INDEX `invitations_organization_id_email_unique` ON `invitations`(`organization_id`, `email`);
--> statement-breakpoint
CREATE TRIGGER `fastest_organizations_insert` AFTER INSERT ON `organizations` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT tbl, json_array(pk, scope), scope, version,
      (SELECT max(seq) + 1 FROM fastest_changes WHERE scope = moved.scope), 2
    FROM fastest_changes AS moved
    WHERE tbl = 'organizations' AND pk = NEW.`id` AND scope IS NOT NEW.`id`
    ON CONFLICT(tbl, pk) DO UPDATE SET version = excluded.version, seq = excluded.seq;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'organizations', NEW.`id`, NEW.`id`, 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = NEW.`id`), 0
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_organizations_update` AFTER UPDATE OF `id`, `name` ON `organizations` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'organizations', OLD.`id`, coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'organizations' AND pk = OLD.`id`), OLD.`id`, ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'organizations' AND pk = OLD.`id`), OLD.`id`, '')), 1
    WHERE OLD.`id` IS NOT NEW.`id`
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT tbl, json_array(pk, scope), scope, version,
      (SELECT max(seq) + 1 FROM fastest_changes WHERE scope = moved.scope), 2
    FROM fastest_changes AS moved
    WHERE tbl = 'organizations' AND pk = NEW.`id` AND scope IS NOT NEW.`id`
    ON CONFLICT(tbl, pk) DO UPDATE SET version = excluded.version, seq = excluded.seq;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'organizations', NEW.`id`, NEW.`id`, 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = NEW.`id`), 0
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_organizations_delete` AFTER DELETE ON `organizations` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'organizations', OLD.`id`, coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'organizations' AND pk = OLD.`id`), OLD.`id`, ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'organizations' AND pk = OLD.`id`), OLD.`id`, '')), 1
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_members_insert` AFTER INSERT ON `members` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT tbl, json_array(pk, scope), scope, version,
      (SELECT max(seq) + 1 FROM fastest_changes WHERE scope = moved.scope), 2
    FROM fastest_changes AS moved
    WHERE tbl = 'members' AND pk = NEW.`id` AND scope IS NOT NEW.`organization_id`
    ON CONFLICT(tbl, pk) DO UPDATE SET version = excluded.version, seq = excluded.seq;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'members', NEW.`id`, NEW.`organization_id`, 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = NEW.`organization_id`), 0
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_members_update` AFTER UPDATE OF `id`, `organization_id`, `email`, `role` ON `members` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'members', OLD.`id`, coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'members' AND pk = OLD.`id`), OLD.`organization_id`, ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'members' AND pk = OLD.`id`), OLD.`organization_id`, '')), 1
    WHERE OLD.`id` IS NOT NEW.`id`
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT tbl, json_array(pk, scope), scope, version,
      (SELECT max(seq) + 1 FROM fastest_changes WHERE scope = moved.scope), 2
    FROM fastest_changes AS moved
    WHERE tbl = 'members' AND pk = NEW.`id` AND scope IS NOT NEW.`organization_id`
    ON CONFLICT(tbl, pk) DO UPDATE SET version = excluded.version, seq = excluded.seq;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'members', NEW.`id`, NEW.`organization_id`, 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = NEW.`organization_id`), 0
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_members_delete` AFTER DELETE ON `members` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'members', OLD.`id`, coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'members' AND pk = OLD.`id`), OLD.`organization_id`, ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'members' AND pk = OLD.`id`), OLD.`organization_id`, '')), 1
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_invitations_insert` AFTER INSERT ON `invitations` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT tbl, json_array(pk, scope), scope, version,
      (SELECT max(seq) + 1 FROM fastest_changes WHERE scope = moved.scope), 2
    FROM fastest_changes AS moved
    WHERE tbl = 'invitations' AND pk = NEW.`id` AND scope IS NOT NEW.`organization_id`
    ON CONFLICT(tbl, pk) DO UPDATE SET version = excluded.version, seq = excluded.seq;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'invitations', NEW.`id`, NEW.`organization_id`, 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = NEW.`organization_id`), 0
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_invitations_update` AFTER UPDATE OF `id`, `organization_id`, `email`, `role`, `invited_by`, `expires_at` ON `invitations` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'invitations', OLD.`id`, coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'invitations' AND pk = OLD.`id`), OLD.`organization_id`, ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'invitations' AND pk = OLD.`id`), OLD.`organization_id`, '')), 1
    WHERE OLD.`id` IS NOT NEW.`id`
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT tbl, json_array(pk, scope), scope, version,
      (SELECT max(seq) + 1 FROM fastest_changes WHERE scope = moved.scope), 2
    FROM fastest_changes AS moved
    WHERE tbl = 'invitations' AND pk = NEW.`id` AND scope IS NOT NEW.`organization_id`
    ON CONFLICT(tbl, pk) DO UPDATE SET version = excluded.version, seq = excluded.seq;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'invitations', NEW.`id`, NEW.`organization_id`, 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = NEW.`organization_id`), 0
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_invitations_delete` AFTER DELETE ON `invitations` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'invitations', OLD.`id`, coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'invitations' AND pk = OLD.`id`), OLD.`organization_id`, ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'invitations' AND pk = OLD.`id`), OLD.`organization_id`, '')), 1
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
  SELECT RAISE(ABORT, 'fastest:unknown_table') FROM json_each(NEW.payload->'rows') WHERE key NOT IN ('organizations','members','invitations');
  SELECT RAISE(ABORT, 'fastest:unknown_table') FROM json_each(NEW.payload->'patch') WHERE key NOT IN ('organizations','members','invitations');
  SELECT RAISE(ABORT, 'fastest:unknown_table') FROM json_each(NEW.payload->'delete') WHERE key NOT IN ('organizations','members','invitations');
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.organizations') UNION ALL SELECT value FROM json_each(NEW.payload->'$.patch.organizations')) AS o, json_each(o._j) AS c WHERE c.key NOT IN ('id','name');
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.members') UNION ALL SELECT value FROM json_each(NEW.payload->'$.patch.members')) AS o, json_each(o._j) AS c WHERE c.key NOT IN ('id','organization_id','email','role');
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.invitations') UNION ALL SELECT value FROM json_each(NEW.payload->'$.patch.invitations')) AS o, json_each(o._j) AS c WHERE c.key NOT IN ('id','organization_id','email','role','invited_by','expires_at');
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM json_each(NEW.payload->'locks') AS l
    LEFT JOIN fastest_changes AS c ON c.tbl = l.value->>0 AND c.pk = l.value->>1
    WHERE coalesce(c.version, 0) IS NOT l.value->>2;
  SELECT RAISE(ABORT, 'fastest:lock_missing') FROM (
      SELECT value->>'id' AS k FROM json_each(NEW.payload->'$.rows.organizations') UNION ALL SELECT value FROM json_each(NEW.payload->'$.delete.organizations'))
    WHERE coalesce(k, '') NOT IN (SELECT value->>1 FROM json_each(NEW.payload->'locks')
      WHERE value->>0 = 'organizations' AND value->>1 IS NOT NULL);
  SELECT RAISE(ABORT, 'fastest:lock_missing') FROM (
      SELECT value->>'id' AS k FROM json_each(NEW.payload->'$.rows.members') UNION ALL SELECT value FROM json_each(NEW.payload->'$.delete.members'))
    WHERE coalesce(k, '') NOT IN (SELECT value->>1 FROM json_each(NEW.payload->'locks')
      WHERE value->>0 = 'members' AND value->>1 IS NOT NULL);
  SELECT RAISE(ABORT, 'fastest:lock_missing') FROM (
      SELECT value->>'id' AS k FROM json_each(NEW.payload->'$.rows.invitations') UNION ALL SELECT value FROM json_each(NEW.payload->'$.delete.invitations'))
    WHERE coalesce(k, '') NOT IN (SELECT value->>1 FROM json_each(NEW.payload->'locks')
      WHERE value->>0 = 'invitations' AND value->>1 IS NOT NULL);
  UPDATE `organizations` SET `name`=iif(json_type(_j,'$.name') IS NULL,`name`,_j->>'name')
    FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.organizations') UNION ALL SELECT value FROM json_each(NEW.payload->'$.patch.organizations')) WHERE `id` = _j->>'id';
  INSERT INTO `organizations`(`id`,`name`)
    SELECT _j->>'id',_j->>'name'
    FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.organizations')) WHERE NOT EXISTS (SELECT 1 FROM `organizations` WHERE `id` = _j->>'id');
  UPDATE `members` SET `organization_id`=iif(json_type(_j,'$.organization_id') IS NULL,`organization_id`,_j->>'organization_id'),`email`=iif(json_type(_j,'$.email') IS NULL,`email`,_j->>'email'),`role`=iif(json_type(_j,'$.role') IS NULL,`role`,_j->>'role')
    FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.members') UNION ALL SELECT value FROM json_each(NEW.payload->'$.patch.members')) WHERE `id` = _j->>'id';
  INSERT INTO `members`(`id`,`organization_id`,`email`,`role`)
    SELECT _j->>'id',_j->>'organization_id',_j->>'email',coalesce(_j->>'role','member')
    FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.members')) WHERE NOT EXISTS (SELECT 1 FROM `members` WHERE `id` = _j->>'id');
  UPDATE `invitations` SET `organization_id`=iif(json_type(_j,'$.organization_id') IS NULL,`organization_id`,_j->>'organization_id'),`email`=iif(json_type(_j,'$.email') IS NULL,`email`,_j->>'email'),`role`=iif(json_type(_j,'$.role') IS NULL,`role`,_j->>'role'),`invited_by`=iif(json_type(_j,'$.invited_by') IS NULL,`invited_by`,_j->>'invited_by'),`expires_at`=iif(json_type(_j,'$.expires_at') IS NULL,`expires_at`,_j->>'expires_at')
    FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.invitations') UNION ALL SELECT value FROM json_each(NEW.payload->'$.patch.invitations')) WHERE `id` = _j->>'id';
  INSERT INTO `invitations`(`id`,`organization_id`,`email`,`role`,`invited_by`,`expires_at`)
    SELECT _j->>'id',_j->>'organization_id',_j->>'email',_j->>'role',_j->>'invited_by',_j->>'expires_at'
    FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.invitations')) WHERE NOT EXISTS (SELECT 1 FROM `invitations` WHERE `id` = _j->>'id');
  DELETE FROM `invitations` WHERE `id` IN (SELECT value FROM json_each(NEW.payload->'$.delete.invitations'));
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM json_each(NEW.payload->'$.delete.members') AS d
    CROSS JOIN `invitations` AS c ON c.`invited_by` = d.value
    WHERE c.`id` NOT IN (SELECT value->>1 FROM json_each(NEW.payload->'locks')
      WHERE value->>0 = 'invitations' AND value->>1 IS NOT NULL);
  DELETE FROM `members` WHERE `id` IN (SELECT value FROM json_each(NEW.payload->'$.delete.members'));
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM json_each(NEW.payload->'$.delete.organizations') AS d
    CROSS JOIN `members` AS c ON c.`organization_id` = d.value
    WHERE c.`id` NOT IN (SELECT value->>1 FROM json_each(NEW.payload->'locks')
      WHERE value->>0 = 'members' AND value->>1 IS NOT NULL);
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM json_each(NEW.payload->'$.delete.organizations') AS d
    CROSS JOIN `invitations` AS c ON c.`organization_id` = d.value
    WHERE c.`id` NOT IN (SELECT value->>1 FROM json_each(NEW.payload->'locks')
      WHERE value->>0 = 'invitations' AND value->>1 IS NOT NULL);
  DELETE FROM `organizations` WHERE `id` IN (SELECT value FROM json_each(NEW.payload->'$.delete.organizations'));
  INSERT INTO fastest_pushes(id, device, counter)
    VALUES (NEW.id, NEW.device, NEW.payload->>'counter');
  DELETE FROM fastest_pushes
    WHERE device = NEW.device AND counter <= (NEW.payload->>'counter') - 1000;
END;
