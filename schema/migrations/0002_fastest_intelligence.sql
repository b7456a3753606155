DROP TRIGGER `fastest_push_apply`;
--> statement-breakpoint
CREATE TABLE `auth_codes`(
  `id` text PRIMARY KEY NOT NULL,
  `user_id` text,
  `email` text NOT NULL,
  `code` text NOT NULL,
  `expires_at` text NOT NULL,
  `used` integer NOT NULL DEFAULT 0,
  `created_at` text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now'))
);
--> statement-breakpoint
CREATE UNIQUE INDEX `auth_codes_code_unique` ON `auth_codes`(`code`);
--> statement-breakpoint
CREATE TABLE `device_codes`(
  `id` text PRIMARY KEY NOT NULL,
  `device_code` text NOT NULL,
  `user_code` text NOT NULL,
  `user_id` text,
  `status` text NOT NULL DEFAULT 'pending',
  `expires_at` text NOT NULL,
  `created_at` text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  FOREIGN KEY (`user_id`) REFERENCES `users`(`id`)
);
--> statement-breakpoint
CREATE UNIQUE INDEX `device_codes_device_code_unique` ON `device_codes`(`device_code`);
--> statement-breakpoint
CREATE UNIQUE INDEX `device_codes_user_code_unique` ON `device_codes`(`user_code`);
--> statement-breakpoint
CREATE TABLE `sessions`(
  `id` text PRIMARY KEY NOT NULL,
  `user_id` text NOT NULL,
  `token_hash` text NOT NULL,
  `expires_at` text NOT NULL,
  `created_at` text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  FOREIGN KEY (`user_id`) REFERENCES `users`(`id`)
);
--> statement-breakpoint
CREATE UNIQUE INDEX `sessions_token_hash_unique` ON `sessions`(`token_hash`);
--> statement-breakpoint
CREATE TABLE `user_api_keys`(
  `id` text PRIMARY KEY NOT NULL,
  `user_id` text NOT NULL,
  `provider` text NOT NULL,
  `key_name` text NOT NULL,
  `key_value` text NOT NULL,
  `created_at` text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  `updated_at` text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON DELETE CASCADE
);
--> statement-breakpoint
CREATE UNIQUE INDEX `user_api_keys_user_id_provider_unique` ON `user_api_keys`(`user_id`, `provider`);
--> statement-breakpoint
CREATE TABLE `project_env_vars`(
  `id` text PRIMARY KEY NOT NULL,
  `project_id` text NOT NULL,
  `key` text NOT NULL,
  `value` text NOT NULL,
  `is_secret` integer NOT NULL DEFAULT 0,
  `created_at` text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  `updated_at` text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  FOREIGN KEY (`project_id`) REFERENCES `projects`(`id`) ON DELETE CASCADE
);
--> statement-breakpoint
CREATE UNIQUE INDEX `project_env_vars_project_id_key_unique` ON `project_env_vars`(`project_id`, `key`);
--> statement-breakpoint
CREATE TABLE `conversations`(
  `id` text PRIMARY KEY NOT NULL,
  `workspace_id` text NOT NULL,
  `title` text,
  `created_at` text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  `updated_at` text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  FOREIGN KEY (`workspace_id`) REFERENCES `workspaces`(`id`)
);
--> statement-breakpoint
CREATE INDEX `conversations_workspace_id_updated_at_idx` ON `conversations`(`workspace_id`, `updated_at`);
--> statement-breakpoint
CREATE TABLE `next_steps`(
  `id` text PRIMARY KEY NOT NULL,
  `project_id` text NOT NULL,
  `title` text NOT NULL,
  `description` text,
  `rationale` text,
  `category` text NOT NULL,
  `priority` integer NOT NULL DEFAULT 2,
  `effort` text,
  `status` text NOT NULL DEFAULT 'pending',
  `helpful_count` integer NOT NULL DEFAULT 0,
  `not_helpful_count` integer NOT NULL DEFAULT 0,
  `model` text,
  `generated_at` text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  `acted_on_at` text,
  FOREIGN KEY (`project_id`) REFERENCES `projects`(`id`) ON DELETE CASCADE
);
--> statement-breakpoint
CREATE INDEX `next_steps_project_id_status_idx` ON `next_steps`(`project_id`, `status`);
--> statement-breakpoint
CREATE INDEX `next_steps_project_id_priority_idx` ON `next_steps`(`project_id`, `priority`);
--> statement-breakpoint
CREATE TABLE `project_decisions`(
  `id` text PRIMARY KEY NOT NULL,
  `project_id` text NOT NULL,
  `conversation_id` text,
  `decision` text NOT NULL,
  `rationale` text,
  `category` text,
  `decided_at` text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  FOREIGN KEY (`project_id`) REFERENCES `projects`(`id`) ON DELETE CASCADE,
  FOREIGN KEY (`conversation_id`) REFERENCES `conversations`(`id`) ON DELETE SET NULL
);
--> statement-breakpoint
CREATE INDEX `project_decisions_project_id_decided_at_idx` ON `project_decisions`(`project_id`, `decided_at`);
--> statement-breakpoint
CREATE UNIQUE INDEX `project_decisions_project_id_decision_unique` ON `project_decisions`(`project_id`, `decision`);
--> statement-breakpoint
CREATE TABLE `action_items`(
  `id` text PRIMARY KEY NOT NULL,
  `workspace_id` text NOT NULL,
  `project_id` text NOT NULL,
  `type` text NOT NULL,
  `severity` text NOT NULL DEFAULT 'info',
  `title` text NOT NULL,
  `description` text,
  `affected_files` text,
  `suggested_prompt` text,
  `metadata` text,
  `status` text NOT NULL DEFAULT 'pending',
  `source` text NOT NULL DEFAULT 'analysis',
  `created_at` text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  `updated_at` text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  FOREIGN KEY (`workspace_id`) REFERENCES `workspaces`(`id`) ON DELETE CASCADE,
  FOREIGN KEY (`project_id`) REFERENCES `projects`(`id`) ON DELETE CASCADE
);
--> statement-breakpoint
CREATE INDEX `action_items_workspace_id_created_at_idx` ON `action_items`(`workspace_id`, `created_at`);
--> statement-breakpoint
CREATE INDEX `action_items_project_id_created_at_idx` ON `action_items`(`project_id`, `created_at`);
--> statement-breakpoint
CREATE INDEX `action_items_workspace_id_status_idx` ON `action_items`(`workspace_id`, `status`);
--> statement-breakpoint
CREATE TABLE `action_item_runs`(
  `id` text PRIMARY KEY NOT NULL,
  `action_item_id` text NOT NULL,
  `workspace_id` text NOT NULL,
  `project_id` text NOT NULL,
  `status` text NOT NULL DEFAULT 'queued',
  `attempt_count` integer NOT NULL DEFAULT 0,
  `max_attempts` integer NOT NULL DEFAULT 3,
  `base_manifest_hash` text,
  `summary` text,
  `report` text,
  `patch` text,
  `checks` text,
  `error` text,
  `started_at` text,
  `completed_at` text,
  `created_at` text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  `updated_at` text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  FOREIGN KEY (`action_item_id`) REFERENCES `action_items`(`id`) ON DELETE CASCADE,
  FOREIGN KEY (`workspace_id`) REFERENCES `workspaces`(`id`) ON DELETE CASCADE,
  FOREIGN KEY (`project_id`) REFERENCES `projects`(`id`) ON DELETE CASCADE
);
--> statement-breakpoint
CREATE INDEX `action_item_runs_action_item_id_created_at_idx` ON `action_item_runs`(`action_item_id`, `created_at`);
--> statement-breakpoint
CREATE INDEX `action_item_runs_workspace_id_created_at_idx` ON `action_item_runs`(`workspace_id`, `created_at`);
--> statement-breakpoint
CREATE INDEX `action_item_runs_status_created_at_idx` ON `action_item_runs`(`status`, `created_at`);
--> statement-breakpoint
CREATE TABLE `refactoring_suggestions`(
  `id` text PRIMARY KEY NOT NULL,
  `workspace_id` text NOT NULL,
  `snapshot_id` text,
  `type` text NOT NULL,
  `severity` text NOT NULL DEFAULT 'info',
  `title` text NOT NULL,
  `description` text,
  `affected_files` text,
  `suggested_prompt` text,
  `status` text NOT NULL DEFAULT 'pending',
  `created_at` text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  FOREIGN KEY (`workspace_id`) REFERENCES `workspaces`(`id`) ON DELETE CASCADE,
  FOREIGN KEY (`snapshot_id`) REFERENCES `snapshots`(`id`)
);
--> statement-breakpoint
CREATE INDEX `refactoring_suggestions_workspace_id_created_at_idx` ON `refactoring_suggestions`(`workspace_id`, `created_at`);
--> statement-breakpoint
CREATE INDEX `refactoring_suggestions_workspace_id_status_idx` ON `refactoring_suggestions`(`workspace_id`, `status`);
--> statement-breakpoint
CREATE TRIGGER `fastest_conversations_insert` AFTER INSERT ON `conversations` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT tbl, json_array(pk, scope), scope, version,
      (SELECT max(seq) + 1 FROM fastest_changes WHERE scope = moved.scope), 2
    FROM fastest_changes AS moved
    WHERE tbl = 'conversations' AND pk = NEW.`id` AND scope IS NOT coalesce((SELECT coalesce(`project_id`, '') FROM `workspaces` WHERE `id` = NEW.`workspace_id`), (SELECT scope FROM fastest_changes WHERE tbl = 'conversations' AND pk = NEW.`id`), '')
    ON CONFLICT(tbl, pk) DO UPDATE SET version = excluded.version, seq = excluded.seq;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'conversations', NEW.`id`, coalesce((SELECT coalesce(`project_id`, '') FROM `workspaces` WHERE `id` = NEW.`workspace_id`), (SELECT scope FROM fastest_changes WHERE tbl = 'conversations' AND pk = NEW.`id`), ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT coalesce(`project_id`, '') FROM `workspaces` WHERE `id` = NEW.`workspace_id`), (SELECT scope FROM fastest_changes WHERE tbl = 'conversations' AND pk = NEW.`id`), '')), 0
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_conversations_update` AFTER UPDATE OF `id`, `workspace_id`, `title`, `created_at`, `updated_at` ON `conversations` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'conversations', OLD.`id`, coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'conversations' AND pk = OLD.`id`), (SELECT coalesce(`project_id`, '') FROM `workspaces` WHERE `id` = OLD.`workspace_id`), ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'conversations' AND pk = OLD.`id`), (SELECT coalesce(`project_id`, '') FROM `workspaces` WHERE `id` = OLD.`workspace_id`), '')), 1
    WHERE OLD.`id` IS NOT NEW.`id`
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT tbl, json_array(pk, scope), scope, version,
      (SELECT max(seq) + 1 FROM fastest_changes WHERE scope = moved.scope), 2
    FROM fastest_changes AS moved
    WHERE tbl = 'conversations' AND pk = NEW.`id` AND scope IS NOT coalesce((SELECT coalesce(`project_id`, '') FROM `workspaces` WHERE `id` = NEW.`workspace_id`), (SELECT scope FROM fastest_changes WHERE tbl = 'conversations' AND pk = NEW.`id`), '')
    ON CONFLICT(tbl, pk) DO UPDATE SET version = excluded.version, seq = excluded.seq;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'conversations', NEW.`id`, coalesce((SELECT coalesce(`project_id`, '') FROM `workspaces` WHERE `id` = NEW.`workspace_id`), (SELECT scope FROM fastest_changes WHERE tbl = 'conversations' AND pk = NEW.`id`), ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT coalesce(`project_id`, '') FROM `workspaces` WHERE `id` = NEW.`workspace_id`), (SELECT scope FROM fastest_changes WHERE tbl = 'conversations' AND pk = NEW.`id`), '')), 0
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_conversations_delete` AFTER DELETE ON `conversations` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'conversations', OLD.`id`, coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'conversations' AND pk = OLD.`id`), (SELECT coalesce(`project_id`, '') FROM `workspaces` WHERE `id` = OLD.`workspace_id`), ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'conversations' AND pk = OLD.`id`), (SELECT coalesce(`project_id`, '') FROM `workspaces` WHERE `id` = OLD.`workspace_id`), '')), 1
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_conversations_follow` AFTER UPDATE OF `project_id` ON `workspaces`
WHEN OLD.`project_id` IS NOT NEW.`project_id` BEGIN
  UPDATE `conversations` SET `workspace_id` = `workspace_id` WHERE `workspace_id` = NEW.`id`;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_next_steps_insert` AFTER INSERT ON `next_steps` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT tbl, json_array(pk, scope), scope, version,
      (SELECT max(seq) + 1 FROM fastest_changes WHERE scope = moved.scope), 2
    FROM fastest_changes AS moved
    WHERE tbl = 'next_steps' AND pk = NEW.`id` AND scope IS NOT NEW.`project_id`
    ON CONFLICT(tbl, pk) DO UPDATE SET version = excluded.version, seq = excluded.seq;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'next_steps', NEW.`id`, NEW.`project_id`, 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = NEW.`project_id`), 0
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_next_steps_update` AFTER UPDATE OF `id`, `project_id`, `title`, `description`, `rationale`, `category`, `priority`, `effort`, `status`, `helpful_count`, `not_helpful_count`, `model`, `generated_at`, `acted_on_at` ON `next_steps` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'next_steps', OLD.`id`, coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'next_steps' AND pk = OLD.`id`), OLD.`project_id`, ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'next_steps' AND pk = OLD.`id`), OLD.`project_id`, '')), 1
    WHERE OLD.`id` IS NOT NEW.`id`
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT tbl, json_array(pk, scope), scope, version,
      (SELECT max(seq) + 1 FROM fastest_changes WHERE scope = moved.scope), 2
    FROM fastest_changes AS moved
    WHERE tbl = 'next_steps' AND pk = NEW.`id` AND scope IS NOT NEW.`project_id`
    ON CONFLICT(tbl, pk) DO UPDATE SET version = excluded.version, seq = excluded.seq;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'next_steps', NEW.`id`, NEW.`project_id`, 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = NEW.`project_id`), 0
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_next_steps_delete` AFTER DELETE ON `next_steps` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'next_steps', OLD.`id`, coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'next_steps' AND pk = OLD.`id`), OLD.`project_id`, ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'next_steps' AND pk = OLD.`id`), OLD.`project_id`, '')), 1
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_project_decisions_insert` AFTER INSERT ON `project_decisions` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT tbl, json_array(pk, scope), scope, version,
      (SELECT max(seq) + 1 FROM fastest_changes WHERE scope = moved.scope), 2
    FROM fastest_changes AS moved
    WHERE tbl = 'project_decisions' AND pk = NEW.`id` AND scope IS NOT NEW.`project_id`
    ON CONFLICT(tbl, pk) DO UPDATE SET version = excluded.version, seq = excluded.seq;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'project_decisions', NEW.`id`, NEW.`project_id`, 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = NEW.`project_id`), 0
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_project_decisions_update` AFTER UPDATE OF `id`, `project_id`, `conversation_id`, `decision`, `rationale`, `category`, `decided_at` ON `project_decisions` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'project_decisions', OLD.`id`, coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'project_decisions' AND pk = OLD.`id`), OLD.`project_id`, ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'project_decisions' AND pk = OLD.`id`), OLD.`project_id`, '')), 1
    WHERE OLD.`id` IS NOT NEW.`id`
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT tbl, json_array(pk, scope), scope, version,
      (SELECT max(seq) + 1 FROM fastest_changes WHERE scope = moved.scope), 2
    FROM fastest_changes AS moved
    WHERE tbl = 'project_decisions' AND pk = NEW.`id` AND scope IS NOT NEW.`project_id`
    ON CONFLICT(tbl, pk) DO UPDATE SET version = excluded.version, seq = excluded.seq;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'project_decisions', NEW.`id`, NEW.`project_id`, 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = NEW.`project_id`), 0
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_project_decisions_delete` AFTER DELETE ON `project_decisions` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'project_decisions', OLD.`id`, coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'project_decisions' AND pk = OLD.`id`), OLD.`project_id`, ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'project_decisions' AND pk = OLD.`id`), OLD.`project_id`, '')), 1
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_action_items_insert` AFTER INSERT ON `action_items` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT tbl, json_array(pk, scope), scope, version,
      (SELECT max(seq) + 1 FROM fastest_changes WHERE scope = moved.scope), 2
    FROM fastest_changes AS moved
    WHERE tbl = 'action_items' AND pk = NEW.`id` AND scope IS NOT NEW.`project_id`
    ON CONFLICT(tbl, pk) DO UPDATE SET version = excluded.version, seq = excluded.seq;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'action_items', NEW.`id`, NEW.`project_id`, 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = NEW.`project_id`), 0
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_action_items_update` AFTER UPDATE OF `id`, `workspace_id`, `project_id`, `type`, `severity`, `title`, `description`, `affected_files`, `suggested_prompt`, `metadata`, `status`, `source`, `created_at`, `updated_at` ON `action_items` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'action_items', OLD.`id`, coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'action_items' AND pk = OLD.`id`), OLD.`project_id`, ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'action_items' AND pk = OLD.`id`), OLD.`project_id`, '')), 1
    WHERE OLD.`id` IS NOT NEW.`id`
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT tbl, json_array(pk, scope), scope, version,
      (SELECT max(seq) + 1 FROM fastest_changes WHERE scope = moved.scope), 2
    FROM fastest_changes AS moved
    WHERE tbl = 'action_items' AND pk = NEW.`id` AND scope IS NOT NEW.`project_id`
    ON CONFLICT(tbl, pk) DO UPDATE SET version = excluded.version, seq = excluded.seq;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'action_items', NEW.`id`, NEW.`project_id`, 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = NEW.`project_id`), 0
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_action_items_delete` AFTER DELETE ON `action_items` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'action_items', OLD.`id`, coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'action_items' AND pk = OLD.`id`), OLD.`project_id`, ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'action_items' AND pk = OLD.`id`), OLD.`project_id`, '')), 1
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_action_item_runs_insert` AFTER INSERT ON `action_item_runs` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT tbl, json_array(pk, scope), scope, version,
      (SELECT max(seq) + 1 FROM fastest_changes WHERE scope = moved.scope), 2
    FROM fastest_changes AS moved
    WHERE tbl = 'action_item_runs' AND pk = NEW.`id` AND scope IS NOT NEW.`project_id`
    ON CONFLICT(tbl, pk) DO UPDATE SET version = excluded.version, seq = excluded.seq;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'action_item_runs', NEW.`id`, NEW.`project_id`, 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = NEW.`project_id`), 0
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_action_item_runs_update` AFTER UPDATE OF `id`, `action_item_id`, `workspace_id`, `project_id`, `status`, `attempt_count`, `max_attempts`, `base_manifest_hash`, `summary`, `report`, `patch`, `checks`, `error`, `started_at`, `completed_at`, `created_at`, `updated_at` ON `action_item_runs` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'action_item_runs', OLD.`id`, coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'action_item_runs' AND pk = OLD.`id`), OLD.`project_id`, ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'action_item_runs' AND pk = OLD.`id`), OLD.`project_id`, '')), 1
    WHERE OLD.`id` IS NOT NEW.`id`
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT tbl, json_array(pk, scope), scope, version,
      (SELECT max(seq) + 1 FROM fastest_changes WHERE scope = moved.scope), 2
    FROM fastest_changes AS moved
    WHERE tbl = 'action_item_runs' AND pk = NEW.`id` AND scope IS NOT NEW.`project_id`
    ON CONFLICT(tbl, pk) DO UPDATE SET version = excluded.version, seq = excluded.seq;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'action_item_runs', NEW.`id`, NEW.`project_id`, 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = NEW.`project_id`), 0
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_action_item_runs_delete` AFTER DELETE ON `action_item_runs` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'action_item_runs', OLD.`id`, coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'action_item_runs' AND pk = OLD.`id`), OLD.`project_id`, ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'action_item_runs' AND pk = OLD.`id`), OLD.`project_id`, '')), 1
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
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
  SELECT RAISE(ABORT, 'fastest:unknown_table') FROM json_each(NEW.payload->'rows') WHERE key NOT IN ('users','projects','fastest_packs','snapshots','workspaces','drift_reports','activity_events','conversations','next_steps','project_decisions','action_items','action_item_runs');
  SELECT RAISE(ABORT, 'fastest:unknown_table') FROM json_each(NEW.payload->'patch') WHERE key NOT IN ('users','projects','workspaces','conversations','next_steps','project_decisions','action_items','action_item_runs');
  SELECT RAISE(ABORT, 'fastest:unknown_table') FROM json_each(NEW.payload->'delete') WHERE key NOT IN ('users','projects','fastest_packs','snapshots','workspaces','drift_reports','activity_events','conversations','next_steps','project_decisions','action_items','action_item_runs');
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.users') UNION ALL SELECT value FROM json_each(NEW.payload->'$.patch.users')) AS o, json_each(o._j) AS c WHERE c.key NOT IN ('id','email','name','picture','created_at');
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.projects') UNION ALL SELECT value FROM json_each(NEW.payload->'$.patch.projects')) AS o, json_each(o._j) AS c WHERE c.key NOT IN ('id','owner_user_id','name','intent','brief','created_at','updated_at','last_snapshot_id','main_workspace_id');
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.fastest_packs')) AS o, json_each(o._j) AS c WHERE c.key NOT IN ('id','project_id','pack_id','part','parts','bytes','objects','data','created_at');
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.snapshots')) AS o, json_each(o._j) AS c WHERE c.key NOT IN ('id','project_id','workspace_id','manifest_hash','parent_snapshot_ids','source','summary','created_at');
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.workspaces') UNION ALL SELECT value FROM json_each(NEW.payload->'$.patch.workspaces')) AS o, json_each(o._j) AS c WHERE c.key NOT IN ('id','project_id','name','machine_id','base_snapshot_id','current_snapshot_id','current_manifest_hash','local_path','last_seen_at','created_at','version','merge_history');
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.drift_reports')) AS o, json_each(o._j) AS c WHERE c.key NOT IN ('id','workspace_id','source_workspace_id','workspace_snapshot_id','source_snapshot_id','source_only','workspace_only','both_same','both_different','files_added','files_modified','files_deleted','bytes_changed','summary','reported_at');
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.activity_events')) AS o, json_each(o._j) AS c WHERE c.key NOT IN ('id','project_id','workspace_id','actor','type','snapshot_id','message','created_at');
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.conversations') UNION ALL SELECT value FROM json_each(NEW.payload->'$.patch.conversations')) AS o, json_each(o._j) AS c WHERE c.key NOT IN ('id','workspace_id','title','created_at','updated_at');
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.next_steps') UNION ALL SELECT value FROM json_each(NEW.payload->'$.patch.next_steps')) AS o, json_each(o._j) AS c WHERE c.key NOT IN ('id','project_id','title','description','rationale','category','priority','effort','status','helpful_count','not_helpful_count','model','generated_at','acted_on_at');
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.project_decisions') UNION ALL SELECT value FROM json_each(NEW.payload->'$.patch.project_decisions')) AS o, json_each(o._j) AS c WHERE c.key NOT IN ('id','project_id','conversation_id','decision','rationale','category','decided_at');
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.action_items') UNION ALL SELECT value FROM json_each(NEW.payload->'$.patch.action_items')) AS o, json_each(o._j) AS c WHERE c.key NOT IN ('id','workspace_id','project_id','type','severity','title','description','affected_files','suggested_prompt','metadata','status','source','created_at','updated_at');
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.action_item_runs') UNION ALL SELECT value FROM json_each(NEW.payload->'$.patch.action_item_runs')) AS o, json_each(o._j) AS c WHERE c.key NOT IN ('id','action_item_id','workspace_id','project_id','status','attempt_count','max_attempts','base_manifest_hash','summary','report','patch','checks','error','started_at','completed_at','created_at','updated_at');
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
  SELECT RAISE(ABORT, 'fastest:lock_missing') FROM (
      SELECT value->>'id' AS k FROM json_each(NEW.payload->'$.rows.conversations') UNION ALL SELECT value FROM json_each(NEW.payload->'$.delete.conversations'))
    WHERE coalesce(k, '') NOT IN (SELECT value->>1 FROM json_each(NEW.payload->'locks')
      WHERE value->>0 = 'conversations' AND value->>1 IS NOT NULL);
  SELECT RAISE(ABORT, 'fastest:lock_missing') FROM (
      SELECT value->>'id' AS k FROM json_each(NEW.payload->'$.rows.next_steps') UNION ALL SELECT value FROM json_each(NEW.payload->'$.delete.next_steps'))
    WHERE coalesce(k, '') NOT IN (SELECT value->>1 FROM json_each(NEW.payload->'locks')
      WHERE value->>0 = 'next_steps' AND value->>1 IS NOT NULL);
  SELECT RAISE(ABORT, 'fastest:lock_missing') FROM (
      SELECT value->>'id' AS k FROM json_each(NEW.payload->'$.rows.project_decisions') UNION ALL SELECT value FROM json_each(NEW.payload->'$.delete.project_decisions'))
    WHERE coalesce(k, '') NOT IN (SELECT value->>1 FROM json_each(NEW.payload->'locks')
      WHERE value->>0 = 'project_decisions' AND value->>1 IS NOT NULL);
  SELECT RAISE(ABORT, 'fastest:lock_missing') FROM (
      SELECT value->>'id' AS k FROM json_each(NEW.payload->'$.rows.action_items') UNION ALL SELECT value FROM json_each(NEW.payload->'$.delete.action_items'))
    WHERE coalesce(k, '') NOT IN (SELECT value->>1 FROM json_each(NEW.payload->'locks')
      WHERE value->>0 = 'action_items' AND value->>1 IS NOT NULL);
  SELECT RAISE(ABORT, 'fastest:lock_missing') FROM (
      SELECT value->>'id' AS k FROM json_each(NEW.payload->'$.rows.action_item_runs') UNION ALL SELECT value FROM json_each(NEW.payload->'$.delete.action_item_runs'))
    WHERE coalesce(k, '') NOT IN (SELECT value->>1 FROM json_each(NEW.payload->'locks')
      WHERE value->>0 = 'action_item_runs' AND value->>1 IS NOT NULL);
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
  UPDATE `conversations` SET `workspace_id`=iif(json_type(_j,'$.workspace_id') IS NULL,`workspace_id`,_j->>'workspace_id'),`title`=iif(json_type(_j,'$.title') IS NULL,`title`,_j->>'title'),`created_at`=iif(json_type(_j,'$.created_at') IS NULL,`created_at`,_j->>'created_at'),`updated_at`=iif(json_type(_j,'$.updated_at') IS NULL,`updated_at`,_j->>'updated_at')
    FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.conversations') UNION ALL SELECT value FROM json_each(NEW.payload->'$.patch.conversations')) WHERE `id` = _j->>'id';
  INSERT INTO `conversations`(`id`,`workspace_id`,`title`,`created_at`,`updated_at`)
    SELECT _j->>'id',_j->>'workspace_id',_j->>'title',coalesce(_j->>'created_at',(strftime('%Y-%m-%dT%H:%M:%fZ','now'))),coalesce(_j->>'updated_at',(strftime('%Y-%m-%dT%H:%M:%fZ','now')))
    FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.conversations')) WHERE NOT EXISTS (SELECT 1 FROM `conversations` WHERE `id` = _j->>'id');
  UPDATE `next_steps` SET `project_id`=iif(json_type(_j,'$.project_id') IS NULL,`project_id`,_j->>'project_id'),`title`=iif(json_type(_j,'$.title') IS NULL,`title`,_j->>'title'),`description`=iif(json_type(_j,'$.description') IS NULL,`description`,_j->>'description'),`rationale`=iif(json_type(_j,'$.rationale') IS NULL,`rationale`,_j->>'rationale'),`category`=iif(json_type(_j,'$.category') IS NULL,`category`,_j->>'category'),`priority`=iif(json_type(_j,'$.priority') IS NULL,`priority`,_j->>'priority'),`effort`=iif(json_type(_j,'$.effort') IS NULL,`effort`,_j->>'effort'),`status`=iif(json_type(_j,'$.status') IS NULL,`status`,_j->>'status'),`helpful_count`=iif(json_type(_j,'$.helpful_count') IS NULL,`helpful_count`,_j->>'helpful_count'),`not_helpful_count`=iif(json_type(_j,'$.not_helpful_count') IS NULL,`not_helpful_count`,_j->>'not_helpful_count'),`model`=iif(json_type(_j,'$.model') IS NULL,`model`,_j->>'model'),`generated_at`=iif(json_type(_j,'$.generated_at') IS NULL,`generated_at`,_j->>'generated_at'),`acted_on_at`=iif(json_type(_j,'$.acted_on_at') IS NULL,`acted_on_at`,_j->>'acted_on_at')
    FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.next_steps') UNION ALL SELECT value FROM json_each(NEW.payload->'$.patch.next_steps')) WHERE `id` = _j->>'id';
  INSERT INTO `next_steps`(`id`,`project_id`,`title`,`description`,`rationale`,`category`,`priority`,`effort`,`status`,`helpful_count`,`not_helpful_count`,`model`,`generated_at`,`acted_on_at`)
    SELECT _j->>'id',_j->>'project_id',_j->>'title',_j->>'description',_j->>'rationale',_j->>'category',coalesce(_j->>'priority',2),_j->>'effort',coalesce(_j->>'status','pending'),coalesce(_j->>'helpful_count',0),coalesce(_j->>'not_helpful_count',0),_j->>'model',coalesce(_j->>'generated_at',(strftime('%Y-%m-%dT%H:%M:%fZ','now'))),_j->>'acted_on_at'
    FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.next_steps')) WHERE NOT EXISTS (SELECT 1 FROM `next_steps` WHERE `id` = _j->>'id');
  UPDATE `project_decisions` SET `project_id`=iif(json_type(_j,'$.project_id') IS NULL,`project_id`,_j->>'project_id'),`conversation_id`=iif(json_type(_j,'$.conversation_id') IS NULL,`conversation_id`,_j->>'conversation_id'),`decision`=iif(json_type(_j,'$.decision') IS NULL,`decision`,_j->>'decision'),`rationale`=iif(json_type(_j,'$.rationale') IS NULL,`rationale`,_j->>'rationale'),`category`=iif(json_type(_j,'$.category') IS NULL,`category`,_j->>'category'),`decided_at`=iif(json_type(_j,'$.decided_at') IS NULL,`decided_at`,_j->>'decided_at')
    FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.project_decisions') UNION ALL SELECT value FROM json_each(NEW.payload->'$.patch.project_decisions')) WHERE `id` = _j->>'id';
  INSERT INTO `project_decisions`(`id`,`project_id`,`conversation_id`,`decision`,`rationale`,`category`,`decided_at`)
    SELECT _j->>'id',_j->>'project_id',_j->>'conversation_id',_j->>'decision',_j->>'rationale',_j->>'category',coalesce(_j->>'decided_at',(strftime('%Y-%m-%dT%H:%M:%fZ','now')))
    FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.project_decisions')) WHERE NOT EXISTS (SELECT 1 FROM `project_decisions` WHERE `id` = _j->>'id');
  UPDATE `action_items` SET `workspace_id`=iif(json_type(_j,'$.workspace_id') IS NULL,`workspace_id`,_j->>'workspace_id'),`project_id`=iif(json_type(_j,'$.project_id') IS NULL,`project_id`,_j->>'project_id'),`type`=iif(json_type(_j,'$.type') IS NULL,`type`,_j->>'type'),`severity`=iif(json_type(_j,'$.severity') IS NULL,`severity`,_j->>'severity'),`title`=iif(json_type(_j,'$.title') IS NULL,`title`,_j->>'title'),`description`=iif(json_type(_j,'$.description') IS NULL,`description`,_j->>'description'),`affected_files`=iif(json_type(_j,'$.affected_files') IS NULL,`affected_files`,_j->>'affected_files'),`suggested_prompt`=iif(json_type(_j,'$.suggested_prompt') IS NULL,`suggested_prompt`,_j->>'suggested_prompt'),`metadata`=iif(json_type(_j,'$.metadata') IS NULL,`metadata`,_j->>'metadata'),`status`=iif(json_type(_j,'$.status') IS NULL,`status`,_j->>'status'),`source`=iif(json_type(_j,'$.source') IS NULL,`source`,_j->>'source'),`created_at`=iif(json_type(_j,'$.created_at') IS NULL,`created_at`,_j->>'created_at'),`updated_at`=iif(json_type(_j,'$.updated_at') IS NULL,`updated_at`,_j->>'updated_at')
    FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.action_items') UNION ALL SELECT value FROM json_each(NEW.payload->'$.patch.action_items')) WHERE `id` = _j->>'id';
  INSERT INTO `action_items`(`id`,`workspace_id`,`project_id`,`type`,`severity`,`title`,`description`,`affected_files`,`suggested_prompt`,`metadata`,`status`,`source`,`created_at`,`updated_at`)
    SELECT _j->>'id',_j->>'workspace_id',_j->>'project_id',_j->>'type',coalesce(_j->>'severity','info'),_j->>'title',_j->>'description',_j->>'affected_files',_j->>'suggested_prompt',_j->>'metadata',coalesce(_j->>'status','pending'),coalesce(_j->>'source','analysis'),coalesce(_j->>'created_at',(strftime('%Y-%m-%dT%H:%M:%fZ','now'))),coalesce(_j->>'updated_at',(strftime('%Y-%m-%dT%H:%M:%fZ','now')))
    FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.action_items')) WHERE NOT EXISTS (SELECT 1 FROM `action_items` WHERE `id` = _j->>'id');
  UPDATE `action_item_runs` SET `action_item_id`=iif(json_type(_j,'$.action_item_id') IS NULL,`action_item_id`,_j->>'action_item_id'),`workspace_id`=iif(json_type(_j,'$.workspace_id') IS NULL,`workspace_id`,_j->>'workspace_id'),`project_id`=iif(json_type(_j,'$.project_id') IS NULL,`project_id`,_j->>'project_id'),`status`=iif(json_type(_j,'$.status') IS NULL,`status`,_j->>'status'),`attempt_count`=iif(json_type(_j,'$.attempt_count') IS NULL,`attempt_count`,_j->>'attempt_count'),`max_attempts`=iif(json_type(_j,'$.max_attempts') IS NULL,`max_attempts`,_j->>'max_attempts'),`base_manifest_hash`=iif(json_type(_j,'$.base_manifest_hash') IS NULL,`base_manifest_hash`,_j->>'base_manifest_hash'),`summary`=iif(json_type(_j,'$.summary') IS NULL,`summary`,_j->>'summary'),`report`=iif(json_type(_j,'$.report') IS NULL,`report`,_j->>'report'),`patch`=iif(json_type(_j,'$.patch') IS NULL,`patch`,_j->>'patch'),`checks`=iif(json_type(_j,'$.checks') IS NULL,`checks`,_j->>'checks'),`error`=iif(json_type(_j,'$.error') IS NULL,`error`,_j->>'error'),`started_at`=iif(json_type(_j,'$.started_at') IS NULL,`started_at`,_j->>'started_at'),`completed_at`=iif(json_type(_j,'$.completed_at') IS NULL,`completed_at`,_j->>'completed_at'),`created_at`=iif(json_type(_j,'$.created_at') IS NULL,`created_at`,_j->>'created_at'),`updated_at`=iif(json_type(_j,'$.updated_at') IS NULL,`updated_at`,_j->>'updated_at')
    FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.action_item_runs') UNION ALL SELECT value FROM json_each(NEW.payload->'$.patch.action_item_runs')) WHERE `id` = _j->>'id';
  INSERT INTO `action_item_runs`(`id`,`action_item_id`,`workspace_id`,`project_id`,`status`,`attempt_count`,`max_attempts`,`base_manifest_hash`,`summary`,`report`,`patch`,`checks`,`error`,`started_at`,`completed_at`,`created_at`,`updated_at`)
    SELECT _j->>'id',_j->>'action_item_id',_j->>'workspace_id',_j->>'project_id',coalesce(_j->>'status','queued'),coalesce(_j->>'attempt_count',0),coalesce(_j->>'max_attempts',3),_j->>'base_manifest_hash',_j->>'summary',_j->>'report',_j->>'patch',_j->>'checks',_j->>'error',_j->>'started_at',_j->>'completed_at',coalesce(_j->>'created_at',(strftime('%Y-%m-%dT%H:%M:%fZ','now'))),coalesce(_j->>'updated_at',(strftime('%Y-%m-%dT%H:%M:%fZ','now')))
    FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.action_item_runs')) WHERE NOT EXISTS (SELECT 1 FROM `action_item_runs` WHERE `id` = _j->>'id');
  DELETE FROM `action_item_runs` WHERE `id` IN (SELECT value FROM json_each(NEW.payload->'$.delete.action_item_runs'));
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM json_each(NEW.payload->'$.delete.action_items') AS d
    CROSS JOIN `action_item_runs` AS c ON c.`action_item_id` = d.value
    WHERE c.`id` NOT IN (SELECT value->>1 FROM json_each(NEW.payload->'locks')
      WHERE value->>0 = 'action_item_runs' AND value->>1 IS NOT NULL);
  DELETE FROM `action_items` WHERE `id` IN (SELECT value FROM json_each(NEW.payload->'$.delete.action_items'));
  DELETE FROM `project_decisions` WHERE `id` IN (SELECT value FROM json_each(NEW.payload->'$.delete.project_decisions'));
  DELETE FROM `next_steps` WHERE `id` IN (SELECT value FROM json_each(NEW.payload->'$.delete.next_steps'));
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM json_each(NEW.payload->'$.delete.conversations') AS d
    CROSS JOIN `project_decisions` AS c ON c.`conversation_id` = d.value
    WHERE c.`id` NOT IN (SELECT value->>1 FROM json_each(NEW.payload->'locks')
      WHERE value->>0 = 'project_decisions' AND value->>1 IS NOT NULL);
  DELETE FROM `conversations` WHERE `id` IN (SELECT value FROM json_each(NEW.payload->'$.delete.conversations'));
  DELETE FROM `activity_events` WHERE `id` IN (SELECT value FROM json_each(NEW.payload->'$.delete.activity_events'));
  DELETE FROM `drift_reports` WHERE `id` IN (SELECT value FROM json_each(NEW.payload->'$.delete.drift_reports'));
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM json_each(NEW.payload->'$.delete.workspaces') AS d
    CROSS JOIN `action_items` AS c ON c.`workspace_id` = d.value
    WHERE c.`id` NOT IN (SELECT value->>1 FROM json_each(NEW.payload->'locks')
      WHERE value->>0 = 'action_items' AND value->>1 IS NOT NULL);
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM json_each(NEW.payload->'$.delete.workspaces') AS d
    CROSS JOIN `action_item_runs` AS c ON c.`workspace_id` = d.value
    WHERE c.`id` NOT IN (SELECT value->>1 FROM json_each(NEW.payload->'locks')
      WHERE value->>0 = 'action_item_runs' AND value->>1 IS NOT NULL);
  DELETE FROM `workspaces` WHERE `id` IN (SELECT value FROM json_each(NEW.payload->'$.delete.workspaces'));
  DELETE FROM `snapshots` WHERE `id` IN (SELECT value FROM json_each(NEW.payload->'$.delete.snapshots'));
  DELETE FROM `fastest_packs` WHERE `id` IN (SELECT value FROM json_each(NEW.payload->'$.delete.fastest_packs'));
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM json_each(NEW.payload->'$.delete.projects') AS d
    CROSS JOIN `next_steps` AS c ON c.`project_id` = d.value
    WHERE c.`id` NOT IN (SELECT value->>1 FROM json_each(NEW.payload->'locks')
      WHERE value->>0 = 'next_steps' AND value->>1 IS NOT NULL);
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM json_each(NEW.payload->'$.delete.projects') AS d
    CROSS JOIN `project_decisions` AS c ON c.`project_id` = d.value
    WHERE c.`id` NOT IN (SELECT value->>1 FROM json_each(NEW.payload->'locks')
      WHERE value->>0 = 'project_decisions' AND value->>1 IS NOT NULL);
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM json_each(NEW.payload->'$.delete.projects') AS d
    CROSS JOIN `action_items` AS c ON c.`project_id` = d.value
    WHERE c.`id` NOT IN (SELECT value->>1 FROM json_each(NEW.payload->'locks')
      WHERE value->>0 = 'action_items' AND value->>1 IS NOT NULL);
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM json_each(NEW.payload->'$.delete.projects') AS d
    CROSS JOIN `action_item_runs` AS c ON c.`project_id` = d.value
    WHERE c.`id` NOT IN (SELECT value->>1 FROM json_each(NEW.payload->'locks')
      WHERE value->>0 = 'action_item_runs' AND value->>1 IS NOT NULL);
  DELETE FROM `projects` WHERE `id` IN (SELECT value FROM json_each(NEW.payload->'$.delete.projects'));
  DELETE FROM `users` WHERE `id` IN (SELECT value FROM json_each(NEW.payload->'$.delete.users'));
  INSERT INTO fastest_pushes(id, device, counter)
    VALUES (NEW.id, NEW.device, NEW.payload->>'counter');
  DELETE FROM fastest_pushes
    WHERE device = NEW.device AND counter <= (NEW.payload->>'counter') - 1000;
END;
