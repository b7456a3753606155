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
CREATE TABLE `users`(
  `id` text PRIMARY KEY NOT NULL,
  `email` text NOT NULL,
  `name` text,
  `picture` text,
  `created_at` text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now'))
);
--> statement-breakpoint
CREATE UNIQUE INDEX `users_email_unique` ON `users`(`email`);
--> statement-breakpoint
CREATE TABLE `projects`(
  `id` text PRIMARY KEY NOT NULL,
  `owner_user_id` text NOT NULL,
  `name` text NOT NULL,
  `intent` text,
  `brief` text,
  `created_at` text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  `updated_at` text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  `last_snapshot_id` text,
  `main_workspace_id` text,
  FOREIGN KEY (`owner_user_id`) REFERENCES `users`(`id`)
);
--> statement-breakpoint
CREATE INDEX `projects_owner_user_id_updated_at_idx` ON `projects`(`owner_user_id`, `updated_at`);
--> statement-breakpoint
CREATE TABLE `fastest_packs`(
  `id` text PRIMARY KEY NOT NULL,
  `project_id` text NOT NULL,
  `pack_id` text NOT NULL,
  `part` integer NOT NULL DEFAULT 0,
  `parts` integer NOT NULL DEFAULT 1,
  `bytes` integer NOT NULL,
  `objects` integer NOT NULL,
  `data` text,
  `created_at` text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  FOREIGN KEY (`project_id`) REFERENCES `projects`(`id`)
);
--> statement-breakpoint
CREATE INDEX `fastest_packs_project_id_pack_id_idx` ON `fastest_packs`(`project_id`, `pack_id`);
--> statement-breakpoint
CREATE TABLE `snapshots`(
  `id` text PRIMARY KEY NOT NULL,
  `project_id` text NOT NULL,
  `workspace_id` text,
  `manifest_hash` text NOT NULL,
  `parent_snapshot_ids` text NOT NULL DEFAULT '[]',
  `source` text NOT NULL DEFAULT 'cli',
  `summary` text,
  `created_at` text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  FOREIGN KEY (`project_id`) REFERENCES `projects`(`id`)
);
--> statement-breakpoint
CREATE INDEX `snapshots_project_id_created_at_idx` ON `snapshots`(`project_id`, `created_at`);
--> statement-breakpoint
CREATE INDEX `snapshots_workspace_id_created_at_idx` ON `snapshots`(`workspace_id`, `created_at`);
--> statement-breakpoint
CREATE TABLE `workspaces`(
  `id` text PRIMARY KEY NOT NULL,
  `project_id` text NOT NULL,
  `name` text NOT NULL,
  `machine_id` text,
  `base_snapshot_id` text,
  `current_snapshot_id` text,
  `current_manifest_hash` text,
  `local_path` text,
  `last_seen_at` text,
  `created_at` text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  `version` integer NOT NULL DEFAULT 1,
  `merge_history` text,
  FOREIGN KEY (`project_id`) REFERENCES `projects`(`id`),
  FOREIGN KEY (`base_snapshot_id`) REFERENCES `snapshots`(`id`),
  FOREIGN KEY (`current_snapshot_id`) REFERENCES `snapshots`(`id`)
);
--> statement-breakpoint
CREATE INDEX `workspaces_project_id_created_at_idx` ON `workspaces`(`project_id`, `created_at`);
--> statement-breakpoint
CREATE TABLE `drift_reports`(
  `id` text PRIMARY KEY NOT NULL,
  `workspace_id` text NOT NULL,
  `source_workspace_id` text,
  `workspace_snapshot_id` text,
  `source_snapshot_id` text,
  `source_only` text NOT NULL DEFAULT '[]',
  `workspace_only` text NOT NULL DEFAULT '[]',
  `both_same` text NOT NULL DEFAULT '[]',
  `both_different` text NOT NULL DEFAULT '[]',
  `files_added` integer NOT NULL DEFAULT 0,
  `files_modified` integer NOT NULL DEFAULT 0,
  `files_deleted` integer NOT NULL DEFAULT 0,
  `bytes_changed` integer NOT NULL DEFAULT 0,
  `summary` text,
  `reported_at` text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  FOREIGN KEY (`workspace_id`) REFERENCES `workspaces`(`id`),
  FOREIGN KEY (`source_workspace_id`) REFERENCES `workspaces`(`id`),
  FOREIGN KEY (`workspace_snapshot_id`) REFERENCES `snapshots`(`id`),
  FOREIGN KEY (`source_snapshot_id`) REFERENCES `snapshots`(`id`)
);
--> statement-breakpoint
CREATE INDEX `drift_reports_workspace_id_reported_at_idx` ON `drift_reports`(`workspace_id`, `reported_at`);
--> statement-breakpoint
CREATE TABLE `activity_events`(
  `id` text PRIMARY KEY NOT NULL,
  `project_id` text NOT NULL,
  `workspace_id` text,
  `actor` text NOT NULL,
  `type` text NOT NULL,
  `snapshot_id` text,
  `message` text,
  `created_at` text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  FOREIGN KEY (`project_id`) REFERENCES `projects`(`id`)
);
--> statement-breakpoint
CREATE INDEX `activity_events_project_id_created_at_idx` ON `activity_events`(`project_id`, `created_at`);
--> statement-breakpoint
CREATE TRIGGER `fastest_users_insert` AFTER INSERT ON `users` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT tbl, json_array(pk, scope), scope, version,
      (SELECT max(seq) + 1 FROM fastest_changes WHERE scope = moved.scope), 2
    FROM fastest_changes AS moved
    WHERE tbl = 'users' AND pk = NEW.`id` AND scope IS NOT NEW.`id`
    ON CONFLICT(tbl, pk) DO UPDATE SET version = excluded.version, seq = excluded.seq;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'users', NEW.`id`, NEW.`id`, 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = NEW.`id`), 0
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_users_update` AFTER UPDATE OF `id`, `email`, `name`, `picture`, `created_at` ON `users` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'users', OLD.`id`, coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'users' AND pk = OLD.`id`), OLD.`id`, ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'users' AND pk = OLD.`id`), OLD.`id`, '')), 1
    WHERE OLD.`id` IS NOT NEW.`id`
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT tbl, json_array(pk, scope), scope, version,
      (SELECT max(seq) + 1 FROM fastest_changes WHERE scope = moved.scope), 2
    FROM fastest_changes AS moved
    WHERE tbl = 'users' AND pk = NEW.`id` AND scope IS NOT NEW.`id`
    ON CONFLICT(tbl, pk) DO UPDATE SET version = excluded.version, seq = excluded.seq;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'users', NEW.`id`, NEW.`id`, 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = NEW.`id`), 0
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_users_delete` AFTER DELETE ON `users` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'users', OLD.`id`, coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'users' AND pk = OLD.`id`), OLD.`id`, ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'users' AND pk = OLD.`id`), OLD.`id`, '')), 1
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
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
CREATE TRIGGER `fastest_projects_update` AFTER UPDATE OF `id`, `owner_user_id`, `name`, `intent`, `brief`, `created_at`, `updated_at`, `last_snapshot_id`, `main_workspace_id` ON `projects` BEGIN
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
CREATE TRIGGER `fastest_fastest_packs_insert` AFTER INSERT ON `fastest_packs` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT tbl, json_array(pk, scope), scope, version,
      (SELECT max(seq) + 1 FROM fastest_changes WHERE scope = moved.scope), 2
    FROM fastest_changes AS moved
    WHERE tbl = 'fastest_packs' AND pk = NEW.`id` AND scope IS NOT NEW.`project_id`
    ON CONFLICT(tbl, pk) DO UPDATE SET version = excluded.version, seq = excluded.seq;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'fastest_packs', NEW.`id`, NEW.`project_id`, 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = NEW.`project_id`), 0
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_fastest_packs_update` AFTER UPDATE OF `id`, `project_id`, `pack_id`, `part`, `parts`, `bytes`, `objects`, `data`, `created_at` ON `fastest_packs` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'fastest_packs', OLD.`id`, coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'fastest_packs' AND pk = OLD.`id`), OLD.`project_id`, ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'fastest_packs' AND pk = OLD.`id`), OLD.`project_id`, '')), 1
    WHERE OLD.`id` IS NOT NEW.`id`
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT tbl, json_array(pk, scope), scope, version,
      (SELECT max(seq) + 1 FROM fastest_changes WHERE scope = moved.scope), 2
    FROM fastest_changes AS moved
    WHERE tbl = 'fastest_packs' AND pk = NEW.`id` AND scope IS NOT NEW.`project_id`
    ON CONFLICT(tbl, pk) DO UPDATE SET version = excluded.version, seq = excluded.seq;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'fastest_packs', NEW.`id`, NEW.`project_id`, 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = NEW.`project_id`), 0
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_fastest_packs_delete` AFTER DELETE ON `fastest_packs` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'fastest_packs', OLD.`id`, coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'fastest_packs' AND pk = OLD.`id`), OLD.`project_id`, ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'fastest_packs' AND pk = OLD.`id`), OLD.`project_id`, '')), 1
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_snapshots_insert` AFTER INSERT ON `snapshots` BEGIN
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
CREATE TRIGGER `fastest_snapshots_update` AFTER UPDATE OF `id`, `project_id`, `workspace_id`, `manifest_hash`, `parent_snapshot_ids`, `source`, `summary`, `created_at` ON `snapshots` BEGIN
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
CREATE TRIGGER `fastest_snapshots_delete` AFTER DELETE ON `snapshots` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'snapshots', OLD.`id`, coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'snapshots' AND pk = OLD.`id`), OLD.`project_id`, ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'snapshots' AND pk = OLD.`id`), OLD.`project_id`, '')), 1
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_workspaces_insert` AFTER INSERT ON `workspaces` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT tbl, json_array(pk, scope), scope, version,
      (SELECT max(seq) + 1 FROM fastest_changes WHERE scope = moved.scope), 2
    FROM fastest_changes AS moved
    WHERE tbl = 'workspaces' AND pk = NEW.`id` AND scope IS NOT NEW.`project_id`
    ON CONFLICT(tbl, pk) DO UPDATE SET version = excluded.version, seq = excluded.seq;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'workspaces', NEW.`id`, NEW.`project_id`, 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = NEW.`project_id`), 0
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
  UPDATE `workspaces` SET `version` = (SELECT version FROM fastest_changes WHERE tbl = 'workspaces' AND pk = NEW.`id`)
    WHERE `id` = NEW.`id` AND `version` IS NOT (SELECT version FROM fastest_changes WHERE tbl = 'workspaces' AND pk = NEW.`id`);
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_workspaces_update` AFTER UPDATE OF `id`, `project_id`, `name`, `machine_id`, `base_snapshot_id`, `current_snapshot_id`, `current_manifest_hash`, `local_path`, `last_seen_at`, `created_at`, `merge_history` ON `workspaces` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'workspaces', OLD.`id`, coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'workspaces' AND pk = OLD.`id`), OLD.`project_id`, ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'workspaces' AND pk = OLD.`id`), OLD.`project_id`, '')), 1
    WHERE OLD.`id` IS NOT NEW.`id`
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT tbl, json_array(pk, scope), scope, version,
      (SELECT max(seq) + 1 FROM fastest_changes WHERE scope = moved.scope), 2
    FROM fastest_changes AS moved
    WHERE tbl = 'workspaces' AND pk = NEW.`id` AND scope IS NOT NEW.`project_id`
    ON CONFLICT(tbl, pk) DO UPDATE SET version = excluded.version, seq = excluded.seq;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'workspaces', NEW.`id`, NEW.`project_id`, 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = NEW.`project_id`), 0
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
  UPDATE `workspaces` SET `version` = (SELECT version FROM fastest_changes WHERE tbl = 'workspaces' AND pk = NEW.`id`)
    WHERE `id` = NEW.`id` AND `version` IS NOT (SELECT version FROM fastest_changes WHERE tbl = 'workspaces' AND pk = NEW.`id`);
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_workspaces_delete` AFTER DELETE ON `workspaces` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'workspaces', OLD.`id`, coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'workspaces' AND pk = OLD.`id`), OLD.`project_id`, ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'workspaces' AND pk = OLD.`id`), OLD.`project_id`, '')), 1
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_workspaces_lock` AFTER UPDATE OF `version` ON `workspaces` WHEN NEW.`version` IS NOT coalesce((SELECT version FROM fastest_changes WHERE tbl = 'workspaces' AND pk = NEW.`id`), NEW.`version`)
  AND (NEW.`id`, NEW.`project_id`, NEW.`name`, NEW.`machine_id`, NEW.`base_snapshot_id`, NEW.`current_snapshot_id`, NEW.`current_manifest_hash`, NEW.`local_path`, NEW.`last_seen_at`, NEW.`created_at`, NEW.`merge_history`)
  IS (OLD.`id`, OLD.`project_id`, OLD.`name`, OLD.`machine_id`, OLD.`base_snapshot_id`, OLD.`current_snapshot_id`, OLD.`current_manifest_hash`, OLD.`local_path`, OLD.`last_seen_at`, OLD.`created_at`, OLD.`merge_history`) BEGIN
  UPDATE `workspaces` SET `version` = (SELECT version FROM fastest_changes WHERE tbl = 'workspaces' AND pk = NEW.`id`)
    WHERE `id` = NEW.`id` AND `version` IS NOT (SELECT version FROM fastest_changes WHERE tbl = 'workspaces' AND pk = NEW.`id`);
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_drift_reports_insert` AFTER INSERT ON `drift_reports` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT tbl, json_array(pk, scope), scope, version,
      (SELECT max(seq) + 1 FROM fastest_changes WHERE scope = moved.scope), 2
    FROM fastest_changes AS moved
    WHERE tbl = 'drift_reports' AND pk = NEW.`id` AND scope IS NOT coalesce((SELECT coalesce(`project_id`, '') FROM `workspaces` WHERE `id` = NEW.`workspace_id`), (SELECT scope FROM fastest_changes WHERE tbl = 'drift_reports' AND pk = NEW.`id`), '')
    ON CONFLICT(tbl, pk) DO UPDATE SET version = excluded.version, seq = excluded.seq;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'drift_reports', NEW.`id`, coalesce((SELECT coalesce(`project_id`, '') FROM `workspaces` WHERE `id` = NEW.`workspace_id`), (SELECT scope FROM fastest_changes WHERE tbl = 'drift_reports' AND pk = NEW.`id`), ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT coalesce(`project_id`, '') FROM `workspaces` WHERE `id` = NEW.`workspace_id`), (SELECT scope FROM fastest_changes WHERE tbl = 'drift_reports' AND pk = NEW.`id`), '')), 0
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_drift_reports_update` AFTER UPDATE OF `id`, `workspace_id`, `source_workspace_id`, `workspace_snapshot_id`, `source_snapshot_id`, `source_only`, `workspace_only`, `both_same`, `both_different`, `files_added`, `files_modified`, `files_deleted`, `bytes_changed`, `summary`, `reported_at` ON `drift_reports` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'drift_reports', OLD.`id`, coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'drift_reports' AND pk = OLD.`id`), (SELECT coalesce(`project_id`, '') FROM `workspaces` WHERE `id` = OLD.`workspace_id`), ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'drift_reports' AND pk = OLD.`id`), (SELECT coalesce(`project_id`, '') FROM `workspaces` WHERE `id` = OLD.`workspace_id`), '')), 1
    WHERE OLD.`id` IS NOT NEW.`id`
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT tbl, json_array(pk, scope), scope, version,
      (SELECT max(seq) + 1 FROM fastest_changes WHERE scope = moved.scope), 2
    FROM fastest_changes AS moved
    WHERE tbl = 'drift_reports' AND pk = NEW.`id` AND scope IS NOT coalesce((SELECT coalesce(`project_id`, '') FROM `workspaces` WHERE `id` = NEW.`workspace_id`), (SELECT scope FROM fastest_changes WHERE tbl = 'drift_reports' AND pk = NEW.`id`), '')
    ON CONFLICT(tbl, pk) DO UPDATE SET version = excluded.version, seq = excluded.seq;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'drift_reports', NEW.`id`, coalesce((SELECT coalesce(`project_id`, '') FROM `workspaces` WHERE `id` = NEW.`workspace_id`), (SELECT scope FROM fastest_changes WHERE tbl = 'drift_reports' AND pk = NEW.`id`), ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT coalesce(`project_id`, '') FROM `workspaces` WHERE `id` = NEW.`workspace_id`), (SELECT scope FROM fastest_changes WHERE tbl = 'drift_reports' AND pk = NEW.`id`), '')), 0
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_drift_reports_delete` AFTER DELETE ON `drift_reports` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'drift_reports', OLD.`id`, coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'drift_reports' AND pk = OLD.`id`), (SELECT coalesce(`project_id`, '') FROM `workspaces` WHERE `id` = OLD.`workspace_id`), ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'drift_reports' AND pk = OLD.`id`), (SELECT coalesce(`project_id`, '') FROM `workspaces` WHERE `id` = OLD.`workspace_id`), '')), 1
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_drift_reports_follow` AFTER UPDATE OF `project_id` ON `workspaces`
WHEN OLD.`project_id` IS NOT NEW.`project_id` BEGIN
  UPDATE `drift_reports` SET `workspace_id` = `workspace_id` WHERE `workspace_id` = NEW.`id`;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_activity_events_insert` AFTER INSERT ON `activity_events` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT tbl, json_array(pk, scope), scope, version,
      (SELECT max(seq) + 1 FROM fastest_changes WHERE scope = moved.scope), 2
    FROM fastest_changes AS moved
    WHERE tbl = 'activity_events' AND pk = NEW.`id` AND scope IS NOT NEW.`project_id`
    ON CONFLICT(tbl, pk) DO UPDATE SET version = excluded.version, seq = excluded.seq;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'activity_events', NEW.`id`, NEW.`project_id`, 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = NEW.`project_id`), 0
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_activity_events_update` AFTER UPDATE OF `id`, `project_id`, `workspace_id`, `actor`, `type`, `snapshot_id`, `message`, `created_at` ON `activity_events` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'activity_events', OLD.`id`, coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'activity_events' AND pk = OLD.`id`), OLD.`project_id`, ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'activity_events' AND pk = OLD.`id`), OLD.`project_id`, '')), 1
    WHERE OLD.`id` IS NOT NEW.`id`
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT tbl, json_array(pk, scope), scope, version,
      (SELECT max(seq) + 1 FROM fastest_changes WHERE scope = moved.scope), 2
    FROM fastest_changes AS moved
    WHERE tbl = 'activity_events' AND pk = NEW.`id` AND scope IS NOT NEW.`project_id`
    ON CONFLICT(tbl, pk) DO UPDATE SET version = excluded.version, seq = excluded.seq;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'activity_events', NEW.`id`, NEW.`project_id`, 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = NEW.`project_id`), 0
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_activity_events_delete` AFTER DELETE ON `activity_events` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'activity_events', OLD.`id`, coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'activity_events' AND pk = OLD.`id`), OLD.`project_id`, ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'activity_events' AND pk = OLD.`id`), OLD.`project_id`, '')), 1
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
  SELECT RAISE(ABORT, 'fastest:unknown_table') FROM json_each(NEW.payload->'rows') WHERE key NOT IN ('users','projects','fastest_packs','snapshots','workspaces','drift_reports','activity_events');
  SELECT RAISE(ABORT, 'fastest:unknown_table') FROM json_each(NEW.payload->'patch') WHERE key NOT IN ('users','projects','workspaces');
  SELECT RAISE(ABORT, 'fastest:unknown_table') FROM json_each(NEW.payload->'delete') WHERE key NOT IN ('users','projects','fastest_packs','snapshots','workspaces','drift_reports','activity_events');
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.users') UNION ALL SELECT value FROM json_each(NEW.payload->'$.patch.users')) AS o, json_each(o._j) AS c WHERE c.key NOT IN ('id','email','name','picture','created_at');
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.projects') UNION ALL SELECT value FROM json_each(NEW.payload->'$.patch.projects')) AS o, json_each(o._j) AS c WHERE c.key NOT IN ('id','owner_user_id','name','intent','brief','created_at','updated_at','last_snapshot_id','main_workspace_id');
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.fastest_packs')) AS o, json_each(o._j) AS c WHERE c.key NOT IN ('id','project_id','pack_id','part','parts','bytes','objects','data','created_at');
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.snapshots')) AS o, json_each(o._j) AS c WHERE c.key NOT IN ('id','project_id','workspace_id','manifest_hash','parent_snapshot_ids','source','summary','created_at');
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.workspaces') UNION ALL SELECT value FROM json_each(NEW.payload->'$.patch.workspaces')) AS o, json_each(o._j) AS c WHERE c.key NOT IN ('id','project_id','name','machine_id','base_snapshot_id','current_snapshot_id','current_manifest_hash','local_path','last_seen_at','created_at','version','merge_history');
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.drift_reports')) AS o, json_each(o._j) AS c WHERE c.key NOT IN ('id','workspace_id','source_workspace_id','workspace_snapshot_id','source_snapshot_id','source_only','workspace_only','both_same','both_different','files_added','files_modified','files_deleted','bytes_changed','summary','reported_at');
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.activity_events')) AS o, json_each(o._j) AS c WHERE c.key NOT IN ('id','project_id','workspace_id','actor','type','snapshot_id','message','created_at');
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM json_each(NEW.payload->'locks') AS l
    LEFT JOIN fastest_changes AS c ON c.tbl = l.value->>0 AND c.pk = l.value->>1
    WHERE coalesce(c.version, 0) IS NOT l.value->>2;
  SELECT RAISE(ABORT, 'fastest:lock_missing') FROM (
      SELECT value->>'id' AS k FROM json_each(NEW.payload->'$.rows.users') UNION ALL SELECT value FROM json_each(NEW.payload->'$.delete.users'))
    WHERE coalesce(k, '') NOT IN (SELECT value->>1 FROM json_each(NEW.payload->'locks')
      WHERE value->>0 = 'users' AND value->>1 IS NOT NULL);
  SELECT RAISE(ABORT, 'fastest:lock_missing') FROM (
      SELECT value->>'id' AS k FROM json_each(NEW.payload->'$.rows.projects') UNION ALL SELECT value FROM json_each(NEW.payload->'$.delete.projects'))
    WHERE coalesce(k, '') NOT IN (SELECT value->>1 FROM json_each(NEW.payload->'locks')
      WHERE value->>0 = 'projects' AND value->>1 IS NOT NULL);
  SELECT RAISE(ABORT, 'fastest:lock_missing') FROM (
      SELECT value->>'id' AS k FROM json_each(NEW.payload->'$.rows.workspaces') UNION ALL SELECT value FROM json_each(NEW.payload->'$.delete.workspaces'))
    WHERE coalesce(k, '') NOT IN (SELECT value->>1 FROM json_each(NEW.payload->'locks')
      WHERE value->>0 = 'workspaces' AND value->>1 IS NOT NULL);
  UPDATE `users` SET `email`=iif(json_type(_j,'$.email') IS NULL,`email`,_j->>'email'),`name`=iif(json_type(_j,'$.name') IS NULL,`name`,_j->>'name'),`picture`=iif(json_type(_j,'$.picture') IS NULL,`picture`,_j->>'picture'),`created_at`=iif(json_type(_j,'$.created_at') IS NULL,`created_at`,_j->>'created_at')
    FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.users') UNION ALL SELECT value FROM json_each(NEW.payload->'$.patch.users')) WHERE `id` = _j->>'id';
  INSERT INTO `users`(`id`,`email`,`name`,`picture`,`created_at`)
    SELECT _j->>'id',_j->>'email',_j->>'name',_j->>'picture',coalesce(_j->>'created_at',(strftime('%Y-%m-%dT%H:%M:%fZ','now')))
    FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.users')) WHERE NOT EXISTS (SELECT 1 FROM `users` WHERE `id` = _j->>'id');
  UPDATE `projects` SET `owner_user_id`=iif(json_type(_j,'$.owner_user_id') IS NULL,`owner_user_id`,_j->>'owner_user_id'),`name`=iif(json_type(_j,'$.name') IS NULL,`name`,_j->>'name'),`intent`=iif(json_type(_j,'$.intent') IS NULL,`intent`,_j->>'intent'),`brief`=iif(json_type(_j,'$.brief') IS NULL,`brief`,_j->>'brief'),`created_at`=iif(json_type(_j,'$.created_at') IS NULL,`created_at`,_j->>'created_at'),`updated_at`=iif(json_type(_j,'$.updated_at') IS NULL,`updated_at`,_j->>'updated_at'),`last_snapshot_id`=iif(json_type(_j,'$.last_snapshot_id') IS NULL,`last_snapshot_id`,_j->>'last_snapshot_id'),`main_workspace_id`=iif(json_type(_j,'$.main_workspace_id') IS NULL,`main_workspace_id`,_j->>'main_workspace_id')
    FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.projects') UNION ALL SELECT value FROM json_each(NEW.payload->'$.patch.projects')) WHERE `id` = _j->>'id';
  INSERT INTO `projects`(`id`,`owner_user_id`,`name`,`intent`,`brief`,`created_at`,`updated_at`,`last_snapshot_id`,`main_workspace_id`)
    SELECT _j->>'id',_j->>'owner_user_id',_j->>'name',_j->>'intent',_j->>'brief',coalesce(_j->>'created_at',(strftime('%Y-%m-%dT%H:%M:%fZ','now'))),coalesce(_j->>'updated_at',(strftime('%Y-%m-%dT%H:%M:%fZ','now'))),_j->>'last_snapshot_id',_j->>'main_workspace_id'
    FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.projects')) WHERE NOT EXISTS (SELECT 1 FROM `projects` WHERE `id` = _j->>'id');
  INSERT INTO `fastest_packs`(`id`,`project_id`,`pack_id`,`part`,`parts`,`bytes`,`objects`,`data`,`created_at`)
    SELECT _j->>'id',_j->>'project_id',_j->>'pack_id',coalesce(_j->>'part',0),coalesce(_j->>'parts',1),_j->>'bytes',_j->>'objects',_j->>'data',coalesce(_j->>'created_at',(strftime('%Y-%m-%dT%H:%M:%fZ','now')))
    FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.fastest_packs')) WHERE true ON CONFLICT(`id`) DO NOTHING;
  INSERT INTO `snapshots`(`id`,`project_id`,`workspace_id`,`manifest_hash`,`parent_snapshot_ids`,`source`,`summary`,`created_at`)
    SELECT _j->>'id',_j->>'project_id',_j->>'workspace_id',_j->>'manifest_hash',coalesce(_j->>'parent_snapshot_ids','[]'),coalesce(_j->>'source','cli'),_j->>'summary',coalesce(_j->>'created_at',(strftime('%Y-%m-%dT%H:%M:%fZ','now')))
    FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.snapshots')) WHERE true ON CONFLICT(`id`) DO NOTHING;
  UPDATE `workspaces` SET `project_id`=iif(json_type(_j,'$.project_id') IS NULL,`project_id`,_j->>'project_id'),`name`=iif(json_type(_j,'$.name') IS NULL,`name`,_j->>'name'),`machine_id`=iif(json_type(_j,'$.machine_id') IS NULL,`machine_id`,_j->>'machine_id'),`base_snapshot_id`=iif(json_type(_j,'$.base_snapshot_id') IS NULL,`base_snapshot_id`,_j->>'base_snapshot_id'),`current_snapshot_id`=iif(json_type(_j,'$.current_snapshot_id') IS NULL,`current_snapshot_id`,_j->>'current_snapshot_id'),`current_manifest_hash`=iif(json_type(_j,'$.current_manifest_hash') IS NULL,`current_manifest_hash`,_j->>'current_manifest_hash'),`local_path`=iif(json_type(_j,'$.local_path') IS NULL,`local_path`,_j->>'local_path'),`last_seen_at`=iif(json_type(_j,'$.last_seen_at') IS NULL,`last_seen_at`,_j->>'last_seen_at'),`created_at`=iif(json_type(_j,'$.created_at') IS NULL,`created_at`,_j->>'created_at'),`merge_history`=iif(json_type(_j,'$.merge_history') IS NULL,`merge_history`,_j->>'merge_history'),`version`=`version`+1
    FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.workspaces') UNION ALL SELECT value FROM json_each(NEW.payload->'$.patch.workspaces')) WHERE `id` = _j->>'id';
  INSERT INTO `workspaces`(`id`,`project_id`,`name`,`machine_id`,`base_snapshot_id`,`current_snapshot_id`,`current_manifest_hash`,`local_path`,`last_seen_at`,`created_at`,`version`,`merge_history`)
    SELECT _j->>'id',_j->>'project_id',_j->>'name',_j->>'machine_id',_j->>'base_snapshot_id',_j->>'current_snapshot_id',_j->>'current_manifest_hash',_j->>'local_path',_j->>'last_seen_at',coalesce(_j->>'created_at',(strftime('%Y-%m-%dT%H:%M:%fZ','now'))),coalesce((SELECT version FROM fastest_changes WHERE tbl='workspaces' AND pk=_j->>'id'),0)+1,_j->>'merge_history'
    FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.workspaces')) WHERE NOT EXISTS (SELECT 1 FROM `workspaces` WHERE `id` = _j->>'id');
  INSERT INTO `drift_reports`(`id`,`workspace_id`,`source_workspace_id`,`workspace_snapshot_id`,`source_snapshot_id`,`source_only`,`workspace_only`,`both_same`,`both_different`,`files_added`,`files_modified`,`files_deleted`,`bytes_changed`,`summary`,`reported_at`)
    SELECT _j->>'id',_j->>'workspace_id',_j->>'source_workspace_id',_j->>'workspace_snapshot_id',_j->>'source_snapshot_id',coalesce(_j->>'source_only','[]'),coalesce(_j->>'workspace_only','[]'),coalesce(_j->>'both_same','[]'),coalesce(_j->>'both_different','[]'),coalesce(_j->>'files_added',0),coalesce(_j->>'files_modified',0),coalesce(_j->>'files_deleted',0),coalesce(_j->>'bytes_changed',0),_j->>'summary',coalesce(_j->>'reported_at',(strftime('%Y-%m-%dT%H:%M:%fZ','now')))
    FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.drift_reports')) WHERE true ON CONFLICT(`id`) DO NOTHING;
  INSERT INTO `activity_events`(`id`,`project_id`,`workspace_id`,`actor`,`type`,`snapshot_id`,`message`,`created_at`)
    SELECT _j->>'id',_j->>'project_id',_j->>'workspace_id',_j->>'actor',_j->>'type',_j->>'snapshot_id',_j->>'message',coalesce(_j->>'created_at',(strftime('%Y-%m-%dT%H:%M:%fZ','now')))
    FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.activity_events')) WHERE true ON CONFLICT(`id`) DO NOTHING;
  DELETE FROM `activity_events` WHERE `id` IN (SELECT value FROM json_each(NEW.payload->'$.delete.activity_events'));
  DELETE FROM `drift_reports` WHERE `id` IN (SELECT value FROM json_each(NEW.payload->'$.delete.drift_reports'));
  DELETE FROM `workspaces` WHERE `id` IN (SELECT value FROM json_each(NEW.payload->'$.delete.workspaces'));
  DELETE FROM `snapshots` WHERE `id` IN (SELECT value FROM json_each(NEW.payload->'$.delete.snapshots'));
  DELETE FROM `fastest_packs` WHERE `id` IN (SELECT value FROM json_each(NEW.payload->'$.delete.fastest_packs'));
  DELETE FROM `projects` WHERE `id` IN (SELECT value FROM json_each(NEW.payload->'$.delete.projects'));
  DELETE FROM `users` WHERE `id` IN (SELECT value FROM json_each(NEW.payload->'$.delete.users'));
  INSERT INTO fastest_pushes(id, device, counter)
    VALUES (NEW.id, NEW.device, NEW.payload->>'counter');
  DELETE FROM fastest_pushes
    WHERE device = NEW.device AND counter <= (NEW.payload->>'counter') - 1000;
END;
