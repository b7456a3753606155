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
CREATE TABLE `customers`(
  `id` text PRIMARY KEY NOT NULL,
  `tenant_id` text NOT NULL,
  `name` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `orders`(
  `id` text PRIMARY KEY NOT NULL,
  `customer_id` text NOT NULL,
  `what` text NOT NULL,
  FOREIGN KEY (`customer_id`) REFERENCES `customers`(`id`) ON DELETE CASCADE
);
--> statement-breakpoint
CREATE TRIGGER `fastest_customers_insert` AFTER INSERT ON `customers` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT tbl, json_array(pk, scope), scope, version,
      (SELECT max(seq) + 1 FROM fastest_changes WHERE scope = moved.scope), 2
    FROM fastest_changes AS moved
    WHERE tbl = 'customers' AND pk = NEW.`id` AND scope IS NOT NEW.`tenant_id`
    ON CONFLICT(tbl, pk) DO UPDATE SET version = excluded.version, seq = excluded.seq;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'customers', NEW.`id`, NEW.`tenant_id`, 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = NEW.`tenant_id`), 0
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_customers_update` AFTER UPDATE OF `id`, `tenant_id`, `name` ON `customers` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'customers', OLD.`id`, coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'customers' AND pk = OLD.`id`), OLD.`tenant_id`, ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'customers' AND pk = OLD.`id`), OLD.`tenant_id`, '')), 1
    WHERE OLD.`id` IS NOT NEW.`id`
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT tbl, json_array(pk, scope), scope, version,
      (SELECT max(seq) + 1 FROM fastest_changes WHERE scope = moved.scope), 2
    FROM fastest_changes AS moved
    WHERE tbl = 'customers' AND pk = NEW.`id` AND scope IS NOT NEW.`tenant_id`
    ON CONFLICT(tbl, pk) DO UPDATE SET version = excluded.version, seq = excluded.seq;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'customers', NEW.`id`, NEW.`tenant_id`, 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = NEW.`tenant_id`), 0
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_customers_delete` AFTER DELETE ON `customers` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'customers', OLD.`id`, coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'customers' AND pk = OLD.`id`), OLD.`tenant_id`, ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'customers' AND pk = OLD.`id`), OLD.`tenant_id`, '')), 1
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_orders_insert` AFTER INSERT ON `orders` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT tbl, json_array(pk, scope), scope, version,
      (SELECT max(seq) + 1 FROM fastest_changes WHERE scope = moved.scope), 2
    FROM fastest_changes AS moved
    WHERE tbl = 'orders' AND pk = NEW.`id` AND scope IS NOT coalesce((SELECT coalesce(`tenant_id`, '') FROM `customers` WHERE `id` = NEW.`customer_id`), (SELECT scope FROM fastest_changes WHERE tbl = 'orders' AND pk = NEW.`id`), '')
    ON CONFLICT(tbl, pk) DO UPDATE SET version = excluded.version, seq = excluded.seq;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'orders', NEW.`id`, coalesce((SELECT coalesce(`tenant_id`, '') FROM `customers` WHERE `id` = NEW.`customer_id`), (SELECT scope FROM fastest_changes WHERE tbl = 'orders' AND pk = NEW.`id`), ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT coalesce(`tenant_id`, '') FROM `customers` WHERE `id` = NEW.`customer_id`), (SELECT scope FROM fastest_changes WHERE tbl = 'orders' AND pk = NEW.`id`), '')), 0
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_orders_update` AFTER UPDATE OF `id`, `customer_id`, `what` ON `orders` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'orders', OLD.`id`, coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'orders' AND pk = OLD.`id`), (SELECT coalesce(`tenant_id`, '') FROM `customers` WHERE `id` = OLD.`customer_id`), ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'orders' AND pk = OLD.`id`), (SELECT coalesce(`tenant_id`, '') FROM `customers` WHERE `id` = OLD.`customer_id`), '')), 1
    WHERE OLD.`id` IS NOT NEW.`id`
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT tbl, json_array(pk, scope), scope, version,
      (SELECT max(seq) + 1 FROM fastest_changes WHERE scope = moved.scope), 2
    FROM fastest_changes AS moved
    WHERE tbl = 'orders' AND pk = NEW.`id` AND scope IS NOT coalesce((SELECT coalesce(`tenant_id`, '') FROM `customers` WHERE `id` = NEW.`customer_id`), (SELECT scope FROM fastest_changes WHERE tbl = 'orders' AND pk = NEW.`id`), '')
    ON CONFLICT(tbl, pk) DO UPDATE SET version = excluded.version, seq = excluded.seq;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'orders', NEW.`id`, coalesce((SELECT coalesce(`tenant_id`, '') FROM `customers` WHERE `id` = NEW.`customer_id`), (SELECT scope FROM fastest_changes WHERE tbl = 'orders' AND pk = NEW.`id`), ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT coalesce(`tenant_id`, '') FROM `customers` WHERE `id` = NEW.`customer_id`), (SELECT scope FROM fastest_changes WHERE tbl = 'orders' AND pk = NEW.`id`), '')), 0
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_orders_delete` AFTER DELETE ON `orders` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'orders', OLD.`id`, coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'orders' AND pk = OLD.`id`), (SELECT coalesce(`tenant_id`, '') FROM `customers` WHERE `id` = OLD.`customer_id`), ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'orders' AND pk = OLD.`id`), (SELECT coalesce(`tenant_id`, '') FROM `customers` WHERE `id` = OLD.`customer_id`), '')), 1
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_orders_follow` AFTER UPDATE OF `tenant_id` ON `customers`
WHEN OLD.`tenant_id` IS NOT NEW.`tenant_id` BEGIN
  UPDATE `orders` SET `customer_id` = `customer_id` WHERE `customer_id` = NEW.`id`;
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
  SELECT RAISE(ABORT, 'fastest:unknown_table') FROM json_each(NEW.payload->'rows') WHERE key NOT IN ('customers','orders');
  SELECT RAISE(ABORT, 'fastest:unknown_table') FROM json_each(NEW.payload->'patch') WHERE key NOT IN ('customers','orders');
  SELECT RAISE(ABORT, 'fastest:unknown_table') FROM json_each(NEW.payload->'delete') WHERE key NOT IN ('customers','orders');
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.customers') UNION ALL SELECT value FROM json_each(NEW.payload->'$.patch.customers')) AS o, json_each(o._j) AS c WHERE c.key NOT IN ('id','tenant_id','name');
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.orders') UNION ALL SELECT value FROM json_each(NEW.payload->'$.patch.orders')) AS o, json_each(o._j) AS c WHERE c.key NOT IN ('id','customer_id','what');
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM json_each(NEW.payload->'locks') AS l
    LEFT JOIN fastest_changes AS c ON c.tbl = l.value->>0 AND c.pk = l.value->>1
    WHERE coalesce(c.version, 0) IS NOT l.value->>2;
  SELECT RAISE(ABORT, 'fastest:lock_missing') FROM (
      SELECT value->>'id' AS k FROM json_each(NEW.payload->'$.rows.customers') UNION ALL SELECT value FROM json_each(NEW.payload->'$.delete.customers'))
    WHERE coalesce(k, '') NOT IN (SELECT value->>1 FROM json_each(NEW.payload->'locks')
      WHERE value->>0 = 'customers' AND value->>1 IS NOT NULL);
  SELECT RAISE(ABORT, 'fastest:lock_missing') FROM (
      SELECT value->>'id' AS k FROM json_each(NEW.payload->'$.rows.orders') UNION ALL SELECT value FROM json_each(NEW.payload->'$.delete.orders'))
    WHERE coalesce(k, '') NOT IN (SELECT value->>1 FROM json_each(NEW.payload->'locks')
      WHERE value->>0 = 'orders' AND value->>1 IS NOT NULL);
  UPDATE `customers` SET `tenant_id`=iif(json_type(_j,'$.tenant_id') IS NULL,`tenant_id`,_j->>'tenant_id'),`name`=iif(json_type(_j,'$.name') IS NULL,`name`,_j->>'name')
    FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.customers') UNION ALL SELECT value FROM json_each(NEW.payload->'$.patch.customers')) WHERE `id` = _j->>'id';
  INSERT INTO `customers`(`id`,`tenant_id`,`name`)
    SELECT _j->>'id',_j->>'tenant_id',_j->>'name'
    FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.customers')) WHERE NOT EXISTS (SELECT 1 FROM `customers` WHERE `id` = _j->>'id');
  UPDATE `orders` SET `customer_id`=iif(json_type(_j,'$.customer_id') IS NULL,`customer_id`,_j->>'customer_id'),`what`=iif(json_type(_j,'$.what') IS NULL,`what`,_j->>'what')
    FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.orders') UNION ALL SELECT value FROM json_each(NEW.payload->'$.patch.orders')) WHERE `id` = _j->>'id';
  INSERT INTO `orders`(`id`,`customer_id`,`what`)
    SELECT _j->>'id',_j->>'customer_id',_j->>'what'
    FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.orders')) WHERE NOT EXISTS (SELECT 1 FROM `orders` WHERE `id` = _j->>'id');
  DELETE FROM `orders` WHERE `id` IN (SELECT value FROM json_each(NEW.payload->'$.delete.orders'));
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM json_each(NEW.payload->'$.delete.customers') AS d
    CROSS JOIN `orders` AS c ON c.`customer_id` = d.value
    WHERE c.`id` NOT IN (SELECT value->>1 FROM json_each(NEW.payload->'locks')
      WHERE value->>0 = 'orders' AND value->>1 IS NOT NULL);
  DELETE FROM `customers` WHERE `id` IN (SELECT value FROM json_each(NEW.payload->'$.delete.customers'));
  INSERT INTO fastest_pushes(id, device, counter)
    VALUES (NEW.id, NEW.device, NEW.payload->>'counter');
  DELETE FROM fastest_pushes
    WHERE device = NEW.device AND counter <= (NEW.payload->>'counter') - 1000;
END;
