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
CREATE VIEW `fastest_row_organizations` AS SELECT t.`id` AS pk,
  0+length(t.`id`)+length(t.`name`) AS size,
  '['||
  iif(typeof(t.`id`)='blob','{"blob":"'||hex(t.`id`)||'"}',json_quote(t.`id`))||','||
  iif(typeof(t.`name`)='blob','{"blob":"'||hex(t.`name`)||'"}',json_quote(t.`name`))||']' AS row_d34f65e4
FROM `organizations` AS t;
--> statement-breakpoint
CREATE VIEW `fastest_row_members` AS SELECT t.`id` AS pk,
  0+length(t.`id`)+length(t.`organization_id`)+length(t.`email`)+length(t.`role`) AS size,
  '['||
  iif(typeof(t.`id`)='blob','{"blob":"'||hex(t.`id`)||'"}',json_quote(t.`id`))||','||
  iif(typeof(t.`organization_id`)='blob','{"blob":"'||hex(t.`organization_id`)||'"}',json_quote(t.`organization_id`))||','||
  iif(typeof(t.`email`)='blob','{"blob":"'||hex(t.`email`)||'"}',json_quote(t.`email`))||','||
  iif(typeof(t.`role`)='blob','{"blob":"'||hex(t.`role`)||'"}',json_quote(t.`role`))||']' AS row_251cd83b
FROM `members` AS t;
--> statement-breakpoint
CREATE VIEW `fastest_row_invitations` AS SELECT t.`id` AS pk,
  0+length(t.`id`)+length(t.`organization_id`)+length(t.`email`)+length(t.`role`)+length(t.`invited_by`)+length(t.`expires_at`) AS size,
  '['||
  iif(typeof(t.`id`)='blob','{"blob":"'||hex(t.`id`)||'"}',json_quote(t.`id`))||','||
  iif(typeof(t.`organization_id`)='blob','{"blob":"'||hex(t.`organization_id`)||'"}',json_quote(t.`organization_id`))||','||
  iif(typeof(t.`email`)='blob','{"blob":"'||hex(t.`email`)||'"}',json_quote(t.`email`))||','||
  iif(typeof(t.`role`)='blob','{"blob":"'||hex(t.`role`)||'"}',json_quote(t.`role`))||','||
  iif(typeof(t.`invited_by`)='blob','{"blob":"'||hex(t.`invited_by`)||'"}',json_quote(t.`invited_by`))||','||
  iif(typeof(t.`expires_at`)='blob','{"blob":"'||hex(t.`expires_at`)||'"}',json_quote(t.`expires_at`))||']' AS row_1d071fb0
FROM `invitations` AS t;
--> statement-breakpoint
CREATE VIEW fastest_push_op AS SELECT NULL AS tbl, NULL AS pk, NULL AS columns, NULL AS patch;
--> statement-breakpoint
CREATE TRIGGER `fastest_push_op_organizations` INSTEAD OF INSERT ON fastest_push_op WHEN NEW.tbl = 'organizations' BEGIN
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM json_each(NEW.columns) WHERE key NOT IN ('id','name');
  SELECT RAISE(ABORT, 'fastest:payload_invalid') FROM json_each(NEW.columns)
    WHERE type IN ('array', 'object')
      AND NOT (key IN ('id','name') AND json_type(value, '$.blob') IS NULL)
      OR key = 'id' AND atom IS NOT NEW.pk;
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM fastest_changes WHERE tbl='organizations' AND pk=NEW.pk AND deleted=0
    AND NEW.patch IS NULL AND NOT EXISTS (SELECT 1 FROM `organizations` WHERE `id` = NEW.pk);
  UPDATE `organizations` SET `id`=`id`,`name`=iif(json_type(NEW.columns,'$.name') IS NOT NULL,NEW.columns->>'name',`name`)
    WHERE `id` = NEW.pk AND NEW.columns IS NOT NULL;
  INSERT INTO `organizations`(`id`,`name`)
    SELECT NEW.pk,NEW.columns->>'name'
    WHERE NEW.columns IS NOT NULL AND NEW.patch IS NULL AND NOT EXISTS (SELECT 1 FROM `organizations` WHERE `id` = NEW.pk);
  DELETE FROM `organizations` WHERE `id` = NEW.pk AND NEW.columns IS NULL;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_push_op_members` INSTEAD OF INSERT ON fastest_push_op WHEN NEW.tbl = 'members' BEGIN
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM json_each(NEW.columns) WHERE key NOT IN ('id','organization_id','email','role');
  SELECT RAISE(ABORT, 'fastest:payload_invalid') FROM json_each(NEW.columns)
    WHERE type IN ('array', 'object')
      AND NOT (key IN ('id','organization_id','email','role') AND json_type(value, '$.blob') IS NULL)
      OR key = 'id' AND atom IS NOT NEW.pk;
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM fastest_changes WHERE tbl='members' AND pk=NEW.pk AND deleted=0
    AND NEW.patch IS NULL AND NOT EXISTS (SELECT 1 FROM `members` WHERE `id` = NEW.pk);
  UPDATE `members` SET `id`=`id`,`organization_id`=iif(json_type(NEW.columns,'$.organization_id') IS NOT NULL,NEW.columns->>'organization_id',`organization_id`),`email`=iif(json_type(NEW.columns,'$.email') IS NOT NULL,NEW.columns->>'email',`email`),`role`=iif(json_type(NEW.columns,'$.role') IS NOT NULL,NEW.columns->>'role',`role`)
    WHERE `id` = NEW.pk AND NEW.columns IS NOT NULL;
  INSERT INTO `members`(`id`,`organization_id`,`email`,`role`)
    SELECT NEW.pk,NEW.columns->>'organization_id',NEW.columns->>'email',coalesce(NEW.columns->>'role','member')
    WHERE NEW.columns IS NOT NULL AND NEW.patch IS NULL AND NOT EXISTS (SELECT 1 FROM `members` WHERE `id` = NEW.pk);
  DELETE FROM `members` WHERE `id` = NEW.pk AND NEW.columns IS NULL;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_push_op_invitations` INSTEAD OF INSERT ON fastest_push_op WHEN NEW.tbl = 'invitations' BEGIN
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM json_each(NEW.columns) WHERE key NOT IN ('id','organization_id','email','role','invited_by','expires_at');
  SELECT RAISE(ABORT, 'fastest:payload_invalid') FROM json_each(NEW.columns)
    WHERE type IN ('array', 'object')
      AND NOT (key IN ('id','organization_id','email','role','invited_by','expires_at') AND json_type(value, '$.blob') IS NULL)
      OR key = 'id' AND atom IS NOT NEW.pk;
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM fastest_changes WHERE tbl='invitations' AND pk=NEW.pk AND deleted=0
    AND NEW.patch IS NULL AND NOT EXISTS (SELECT 1 FROM `invitations` WHERE `id` = NEW.pk);
  UPDATE `invitations` SET `id`=`id`,`organization_id`=iif(json_type(NEW.columns,'$.organization_id') IS NOT NULL,NEW.columns->>'organization_id',`organization_id`),`email`=iif(json_type(NEW.columns,'$.email') IS NOT NULL,NEW.columns->>'email',`email`),`role`=iif(json_type(NEW.columns,'$.role') IS NOT NULL,NEW.columns->>'role',`role`),`invited_by`=iif(json_type(NEW.columns,'$.invited_by') IS NOT NULL,NEW.columns->>'invited_by',`invited_by`),`expires_at`=iif(json_type(NEW.columns,'$.expires_at') IS NOT NULL,NEW.columns->>'expires_at',`expires_at`)
    WHERE `id` = NEW.pk AND NEW.columns IS NOT NULL;
  INSERT INTO `invitations`(`id`,`organization_id`,`email`,`role`,`invited_by`,`expires_at`)
    SELECT NEW.pk,NEW.columns->>'organization_id',NEW.columns->>'email',NEW.columns->>'role',NEW.columns->>'invited_by',NEW.columns->>'expires_at'
    WHERE NEW.columns IS NOT NULL AND NEW.patch IS NULL AND NOT EXISTS (SELECT 1 FROM `invitations` WHERE `id` = NEW.pk);
  DELETE FROM `invitations` WHERE `id` = NEW.pk AND NEW.columns IS NULL;
END;
--> statement-breakpoint
CREATE VIEW fastest_push_delete AS SELECT NULL AS tbl, NULL AS keys, NULL AS locked;
--> statement-breakpoint
CREATE TRIGGER `fastest_push_delete_organizations` INSTEAD OF INSERT ON fastest_push_delete WHEN NEW.tbl = 'organizations' BEGIN
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM json_each(NEW.keys) AS d
    CROSS JOIN `members` AS c ON c.`organization_id` = d.value
    WHERE c.`id` NOT IN (SELECT value->>1 FROM json_each(NEW.locked)
      WHERE value->>0 = 'members' AND value->>1 IS NOT NULL);
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM json_each(NEW.keys) AS d
    CROSS JOIN `invitations` AS c ON c.`organization_id` = d.value
    WHERE c.`id` NOT IN (SELECT value->>1 FROM json_each(NEW.locked)
      WHERE value->>0 = 'invitations' AND value->>1 IS NOT NULL);
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_push_delete_members` INSTEAD OF INSERT ON fastest_push_delete WHEN NEW.tbl = 'members' BEGIN
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM json_each(NEW.keys) AS d
    CROSS JOIN `invitations` AS c ON c.`invited_by` = d.value
    WHERE c.`id` NOT IN (SELECT value->>1 FROM json_each(NEW.locked)
      WHERE value->>0 = 'invitations' AND value->>1 IS NOT NULL);
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
    WHERE value->>0 NOT IN ('organizations','members','invitations') OR value->>3 IS NOT NULL AND value->>0 NOT IN ('organizations','members','invitations');
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM json_each(NEW.payload->'locks') AS l
    LEFT JOIN fastest_changes AS c ON c.tbl = l.value->>0 AND c.pk = l.value->>1
    WHERE coalesce(c.version, 0) IS NOT l.value->>2;
  SELECT RAISE(ABORT, 'fastest:lock_missing') FROM json_each(NEW.payload->'ops')
    WHERE value->>0 IN ('organizations','members','invitations') AND value->>3 IS NULL AND (value->>0, value->>1) NOT IN (
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
  SELECT RAISE(ABORT, 'fastest:unknown_table') FROM json_each(NEW.payload->'rows') WHERE key NOT IN (SELECT value->>0 FROM json_each('[["organizations","id",true],["members","id",true],["invitations","id",true]]'));
  SELECT RAISE(ABORT, 'fastest:unknown_table') FROM json_each(NEW.payload->'patch') WHERE key NOT IN (SELECT value->>0 FROM json_each('[["organizations","id",true],["members","id",true],["invitations","id",true]]') WHERE value->>2);
  SELECT RAISE(ABORT, 'fastest:unknown_table') FROM json_each(NEW.payload->'delete') WHERE key NOT IN (SELECT value->>0 FROM json_each('[["organizations","id",true],["members","id",true],["invitations","id",true]]'));
  INSERT INTO fastest_push_2(id, device, payload)
    SELECT NEW.id, NEW.device, json_set(json_remove(NEW.payload, '$.rows', '$.patch', '$.delete'),
      '$.v', 2, '$.ops', json((SELECT json_group_array(json(op)) FROM (
      SELECT json_array(t.value->>0, iif(t.value->>2, coalesce(r.value->>(t.value->>1), ''),
        r.value->>(t.value->>1)), json(r.value)) AS op, 0 AS part, t.key AS place, r.key AS at
      FROM json_each('[["organizations","id",true],["members","id",true],["invitations","id",true]]') AS t
      JOIN json_each(NEW.payload->'rows'->(t.value->>0)) AS r
      UNION ALL
      SELECT json_array(t.value->>0, r.value->>(t.value->>1), json(r.value), 1), 0, t.key, r.key
      FROM json_each('[["organizations","id",true],["members","id",true],["invitations","id",true]]') AS t
      JOIN json_each(NEW.payload->'patch'->(t.value->>0)) AS r
      UNION ALL
      SELECT json_array(t.value->>0, r.value), 1, -t.key, r.key
      FROM json_each('[["organizations","id",true],["members","id",true],["invitations","id",true]]') AS t
      JOIN json_each(NEW.payload->'delete'->(t.value->>0)) AS r
      ORDER BY part, place, at))));
END;
