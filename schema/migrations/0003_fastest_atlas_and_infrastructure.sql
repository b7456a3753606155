DROP TRIGGER `fastest_push_apply`;
--> statement-breakpoint
CREATE TABLE `atlas_concepts`(
  `id` text PRIMARY KEY NOT NULL,
  `project_id` text NOT NULL,
  `name` text NOT NULL,
  `layer` text NOT NULL,
  `type` text,
  `description` text,
  `source_snapshot_id` text,
  `source_manifest_hash` text,
  `metadata` text,
  `created_at` text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  `updated_at` text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  FOREIGN KEY (`project_id`) REFERENCES `projects`(`id`) ON DELETE CASCADE,
  FOREIGN KEY (`source_snapshot_id`) REFERENCES `snapshots`(`id`) ON DELETE SET NULL
);
--> statement-breakpoint
CREATE INDEX `atlas_concepts_project_id_layer_idx` ON `atlas_concepts`(`project_id`, `layer`);
--> statement-breakpoint
CREATE UNIQUE INDEX `atlas_concepts_project_id_id_unique` ON `atlas_concepts`(`project_id`, `id`);
--> statement-breakpoint
CREATE TABLE `atlas_edges`(
  `id` text PRIMARY KEY NOT NULL,
  `project_id` text NOT NULL,
  `from_concept_id` text NOT NULL,
  `to_concept_id` text NOT NULL,
  `type` text NOT NULL,
  `weight` integer,
  `created_at` text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  FOREIGN KEY (`project_id`) REFERENCES `projects`(`id`) ON DELETE CASCADE
);
--> statement-breakpoint
CREATE INDEX `atlas_edges_project_id_from_concept_id_idx` ON `atlas_edges`(`project_id`, `from_concept_id`);
--> statement-breakpoint
CREATE INDEX `atlas_edges_project_id_to_concept_id_idx` ON `atlas_edges`(`project_id`, `to_concept_id`);
--> statement-breakpoint
CREATE INDEX `atlas_edges_project_id_type_idx` ON `atlas_edges`(`project_id`, `type`);
--> statement-breakpoint
CREATE TABLE `atlas_chunks`(
  `id` text PRIMARY KEY NOT NULL,
  `project_id` text NOT NULL,
  `concept_id` text,
  `kind` text NOT NULL,
  `content` text NOT NULL,
  `file_path` text,
  `symbol` text,
  `source_hash` text,
  `created_at` text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  FOREIGN KEY (`project_id`) REFERENCES `projects`(`id`) ON DELETE CASCADE
);
--> statement-breakpoint
CREATE INDEX `atlas_chunks_project_id_kind_idx` ON `atlas_chunks`(`project_id`, `kind`);
--> statement-breakpoint
CREATE INDEX `atlas_chunks_project_id_concept_id_idx` ON `atlas_chunks`(`project_id`, `concept_id`);
--> statement-breakpoint
CREATE TABLE `atlas_embeddings`(
  `id` text PRIMARY KEY NOT NULL,
  `chunk_id` text NOT NULL,
  `model` text NOT NULL,
  `vector` text NOT NULL,
  `created_at` text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  FOREIGN KEY (`chunk_id`) REFERENCES `atlas_chunks`(`id`) ON DELETE CASCADE
);
--> statement-breakpoint
CREATE INDEX `atlas_embeddings_chunk_id_idx` ON `atlas_embeddings`(`chunk_id`);
--> statement-breakpoint
CREATE TABLE `atlas_decision_links`(
  `id` text PRIMARY KEY NOT NULL,
  `project_id` text NOT NULL,
  `decision_id` text NOT NULL,
  `concept_id` text NOT NULL,
  `confidence` integer,
  `created_at` text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  FOREIGN KEY (`project_id`) REFERENCES `projects`(`id`) ON DELETE CASCADE,
  FOREIGN KEY (`decision_id`) REFERENCES `project_decisions`(`id`) ON DELETE CASCADE
);
--> statement-breakpoint
CREATE INDEX `atlas_decision_links_project_id_decision_id_idx` ON `atlas_decision_links`(`project_id`, `decision_id`);
--> statement-breakpoint
CREATE INDEX `atlas_decision_links_project_id_concept_id_idx` ON `atlas_decision_links`(`project_id`, `concept_id`);
--> statement-breakpoint
CREATE TABLE `atlas_diagrams`(
  `id` text PRIMARY KEY NOT NULL,
  `project_id` text NOT NULL,
  `concept_id` text,
  `type` text NOT NULL,
  `data` text NOT NULL,
  `created_at` text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  FOREIGN KEY (`project_id`) REFERENCES `projects`(`id`) ON DELETE CASCADE
);
--> statement-breakpoint
CREATE INDEX `atlas_diagrams_project_id_created_at_idx` ON `atlas_diagrams`(`project_id`, `created_at`);
--> statement-breakpoint
CREATE INDEX `atlas_diagrams_project_id_concept_id_idx` ON `atlas_diagrams`(`project_id`, `concept_id`);
--> statement-breakpoint
CREATE TABLE `provider_credentials`(
  `id` text PRIMARY KEY NOT NULL,
  `user_id` text NOT NULL,
  `provider` text NOT NULL,
  `api_token` text NOT NULL,
  `metadata` text,
  `created_at` text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  `updated_at` text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON DELETE CASCADE
);
--> statement-breakpoint
CREATE UNIQUE INDEX `provider_credentials_user_id_provider_unique` ON `provider_credentials`(`user_id`, `provider`);
--> statement-breakpoint
CREATE TABLE `infrastructure_resources`(
  `id` text PRIMARY KEY NOT NULL,
  `project_id` text NOT NULL,
  `type` text NOT NULL,
  `provider` text NOT NULL,
  `provider_resource_id` text,
  `name` text NOT NULL,
  `connection_info` text,
  `status` text NOT NULL DEFAULT 'pending',
  `error` text,
  `created_at` text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  `updated_at` text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  FOREIGN KEY (`project_id`) REFERENCES `projects`(`id`) ON DELETE CASCADE
);
--> statement-breakpoint
CREATE INDEX `infrastructure_resources_project_id_idx` ON `infrastructure_resources`(`project_id`);
--> statement-breakpoint
CREATE INDEX `infrastructure_resources_project_id_type_idx` ON `infrastructure_resources`(`project_id`, `type`);
--> statement-breakpoint
CREATE TABLE `deployment_settings`(
  `workspace_id` text PRIMARY KEY NOT NULL,
  `auto_deploy` integer NOT NULL DEFAULT 0,
  `runtime_override` text,
  `build_command` text,
  `start_command` text,
  `created_at` text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  `updated_at` text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  FOREIGN KEY (`workspace_id`) REFERENCES `workspaces`(`id`) ON DELETE CASCADE
);
--> statement-breakpoint
CREATE TABLE `deployments`(
  `id` text PRIMARY KEY NOT NULL,
  `workspace_id` text,
  `project_id` text NOT NULL,
  `snapshot_id` text,
  `status` text NOT NULL,
  `trigger` text NOT NULL,
  `url` text,
  `error` text,
  `started_at` text NOT NULL,
  `completed_at` text,
  FOREIGN KEY (`workspace_id`) REFERENCES `workspaces`(`id`) ON DELETE SET NULL,
  FOREIGN KEY (`project_id`) REFERENCES `projects`(`id`) ON DELETE CASCADE,
  FOREIGN KEY (`snapshot_id`) REFERENCES `snapshots`(`id`) ON DELETE SET NULL
);
--> statement-breakpoint
CREATE INDEX `deployments_workspace_id_started_at_idx` ON `deployments`(`workspace_id`, `started_at`);
--> statement-breakpoint
CREATE INDEX `deployments_project_id_started_at_idx` ON `deployments`(`project_id`, `started_at`);
--> statement-breakpoint
CREATE INDEX `deployments_status_started_at_idx` ON `deployments`(`status`, `started_at`);
--> statement-breakpoint
CREATE TABLE `jobs`(
  `id` text PRIMARY KEY NOT NULL,
  `workspace_id` text NOT NULL,
  `project_id` text NOT NULL,
  `prompt` text NOT NULL,
  `status` text NOT NULL DEFAULT 'pending',
  `output_snapshot_id` text,
  `error` text,
  `created_at` text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  `started_at` text,
  `completed_at` text,
  FOREIGN KEY (`workspace_id`) REFERENCES `workspaces`(`id`),
  FOREIGN KEY (`project_id`) REFERENCES `projects`(`id`),
  FOREIGN KEY (`output_snapshot_id`) REFERENCES `snapshots`(`id`)
);
--> statement-breakpoint
CREATE TRIGGER `fastest_atlas_concepts_insert` AFTER INSERT ON `atlas_concepts` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT tbl, json_array(pk, scope), scope, version,
      (SELECT max(seq) + 1 FROM fastest_changes WHERE scope = moved.scope), 2
    FROM fastest_changes AS moved
    WHERE tbl = 'atlas_concepts' AND pk = NEW.`id` AND scope IS NOT NEW.`project_id`
    ON CONFLICT(tbl, pk) DO UPDATE SET version = excluded.version, seq = excluded.seq;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'atlas_concepts', NEW.`id`, NEW.`project_id`, 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = NEW.`project_id`), 0
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_atlas_concepts_update` AFTER UPDATE OF `id`, `project_id`, `name`, `layer`, `type`, `description`, `source_snapshot_id`, `source_manifest_hash`, `metadata`, `created_at`, `updated_at` ON `atlas_concepts` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'atlas_concepts', OLD.`id`, coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'atlas_concepts' AND pk = OLD.`id`), OLD.`project_id`, ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'atlas_concepts' AND pk = OLD.`id`), OLD.`project_id`, '')), 1
    WHERE OLD.`id` IS NOT NEW.`id`
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT tbl, json_array(pk, scope), scope, version,
      (SELECT max(seq) + 1 FROM fastest_changes WHERE scope = moved.scope), 2
    FROM fastest_changes AS moved
    WHERE tbl = 'atlas_concepts' AND pk = NEW.`id` AND scope IS NOT NEW.`project_id`
    ON CONFLICT(tbl, pk) DO UPDATE SET version = excluded.version, seq = excluded.seq;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'atlas_concepts', NEW.`id`, NEW.`project_id`, 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = NEW.`project_id`), 0
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_atlas_concepts_delete` AFTER DELETE ON `atlas_concepts` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'atlas_concepts', OLD.`id`, coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'atlas_concepts' AND pk = OLD.`id`), OLD.`project_id`, ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'atlas_concepts' AND pk = OLD.`id`), OLD.`project_id`, '')), 1
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_atlas_edges_insert` AFTER INSERT ON `atlas_edges` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT tbl, json_array(pk, scope), scope, version,
      (SELECT max(seq) + 1 FROM fastest_changes WHERE scope = moved.scope), 2
    FROM fastest_changes AS moved
    WHERE tbl = 'atlas_edges' AND pk = NEW.`id` AND scope IS NOT NEW.`project_id`
    ON CONFLICT(tbl, pk) DO UPDATE SET version = excluded.version, seq = excluded.seq;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'atlas_edges', NEW.`id`, NEW.`project_id`, 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = NEW.`project_id`), 0
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_atlas_edges_update` AFTER UPDATE OF `id`, `project_id`, `from_concept_id`, `to_concept_id`, `type`, `weight`, `created_at` ON `atlas_edges` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'atlas_edges', OLD.`id`, coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'atlas_edges' AND pk = OLD.`id`), OLD.`project_id`, ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'atlas_edges' AND pk = OLD.`id`), OLD.`project_id`, '')), 1
    WHERE OLD.`id` IS NOT NEW.`id`
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT tbl, json_array(pk, scope), scope, version,
      (SELECT max(seq) + 1 FROM fastest_changes WHERE scope = moved.scope), 2
    FROM fastest_changes AS moved
    WHERE tbl = 'atlas_edges' AND pk = NEW.`id` AND scope IS NOT NEW.`project_id`
    ON CONFLICT(tbl, pk) DO UPDATE SET version = excluded.version, seq = excluded.seq;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'atlas_edges', NEW.`id`, NEW.`project_id`, 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = NEW.`project_id`), 0
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_atlas_edges_delete` AFTER DELETE ON `atlas_edges` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'atlas_edges', OLD.`id`, coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'atlas_edges' AND pk = OLD.`id`), OLD.`project_id`, ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'atlas_edges' AND pk = OLD.`id`), OLD.`project_id`, '')), 1
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_atlas_chunks_insert` AFTER INSERT ON `atlas_chunks` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT tbl, json_array(pk, scope), scope, version,
      (SELECT max(seq) + 1 FROM fastest_changes WHERE scope = moved.scope), 2
    FROM fastest_changes AS moved
    WHERE tbl = 'atlas_chunks' AND pk = NEW.`id` AND scope IS NOT NEW.`project_id`
    ON CONFLICT(tbl, pk) DO UPDATE SET version = excluded.version, seq = excluded.seq;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'atlas_chunks', NEW.`id`, NEW.`project_id`, 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = NEW.`project_id`), 0
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_atlas_chunks_update` AFTER UPDATE OF `id`, `project_id`, `concept_id`, `kind`, `content`, `file_path`, `symbol`, `source_hash`, `created_at` ON `atlas_chunks` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'atlas_chunks', OLD.`id`, coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'atlas_chunks' AND pk = OLD.`id`), OLD.`project_id`, ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'atlas_chunks' AND pk = OLD.`id`), OLD.`project_id`, '')), 1
    WHERE OLD.`id` IS NOT NEW.`id`
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT tbl, json_array(pk, scope), scope, version,
      (SELECT max(seq) + 1 FROM fastest_changes WHERE scope = moved.scope), 2
    FROM fastest_changes AS moved
    WHERE tbl = 'atlas_chunks' AND pk = NEW.`id` AND scope IS NOT NEW.`project_id`
    ON CONFLICT(tbl, pk) DO UPDATE SET version = excluded.version, seq = excluded.seq;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'atlas_chunks', NEW.`id`, NEW.`project_id`, 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = NEW.`project_id`), 0
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_atlas_chunks_delete` AFTER DELETE ON `atlas_chunks` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'atlas_chunks', OLD.`id`, coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'atlas_chunks' AND pk = OLD.`id`), OLD.`project_id`, ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'atlas_chunks' AND pk = OLD.`id`), OLD.`project_id`, '')), 1
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_atlas_embeddings_insert` AFTER INSERT ON `atlas_embeddings` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT tbl, json_array(pk, scope), scope, version,
      (SELECT max(seq) + 1 FROM fastest_changes WHERE scope = moved.scope), 2
    FROM fastest_changes AS moved
    WHERE tbl = 'atlas_embeddings' AND pk = NEW.`id` AND scope IS NOT coalesce((SELECT coalesce(`project_id`, '') FROM `atlas_chunks` WHERE `id` = NEW.`chunk_id`), (SELECT scope FROM fastest_changes WHERE tbl = 'atlas_embeddings' AND pk = NEW.`id`), '')
    ON CONFLICT(tbl, pk) DO UPDATE SET version = excluded.version, seq = excluded.seq;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'atlas_embeddings', NEW.`id`, coalesce((SELECT coalesce(`project_id`, '') FROM `atlas_chunks` WHERE `id` = NEW.`chunk_id`), (SELECT scope FROM fastest_changes WHERE tbl = 'atlas_embeddings' AND pk = NEW.`id`), ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT coalesce(`project_id`, '') FROM `atlas_chunks` WHERE `id` = NEW.`chunk_id`), (SELECT scope FROM fastest_changes WHERE tbl = 'atlas_embeddings' AND pk = NEW.`id`), '')), 0
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_atlas_embeddings_update` AFTER UPDATE OF `id`, `chunk_id`, `model`, `vector`, `created_at` ON `atlas_embeddings` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'atlas_embeddings', OLD.`id`, coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'atlas_embeddings' AND pk = OLD.`id`), (SELECT coalesce(`project_id`, '') FROM `atlas_chunks` WHERE `id` = OLD.`chunk_id`), ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'atlas_embeddings' AND pk = OLD.`id`), (SELECT coalesce(`project_id`, '') FROM `atlas_chunks` WHERE `id` = OLD.`chunk_id`), '')), 1
    WHERE OLD.`id` IS NOT NEW.`id`
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT tbl, json_array(pk, scope), scope, version,
      (SELECT max(seq) + 1 FROM fastest_changes WHERE scope = moved.scope), 2
    FROM fastest_changes AS moved
    WHERE tbl = 'atlas_embeddings' AND pk = NEW.`id` AND scope IS NOT coalesce((SELECT coalesce(`project_id`, '') FROM `atlas_chunks` WHERE `id` = NEW.`chunk_id`), (SELECT scope FROM fastest_changes WHERE tbl = 'atlas_embeddings' AND pk = NEW.`id`), '')
    ON CONFLICT(tbl, pk) DO UPDATE SET version = excluded.version, seq = excluded.seq;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'atlas_embeddings', NEW.`id`, coalesce((SELECT coalesce(`project_id`, '') FROM `atlas_chunks` WHERE `id` = NEW.`chunk_id`), (SELECT scope FROM fastest_changes WHERE tbl = 'atlas_embeddings' AND pk = NEW.`id`), ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT coalesce(`project_id`, '') FROM `atlas_chunks` WHERE `id` = NEW.`chunk_id`), (SELECT scope FROM fastest_changes WHERE tbl = 'atlas_embeddings' AND pk = NEW.`id`), '')), 0
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_atlas_embeddings_delete` AFTER DELETE ON `atlas_embeddings` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'atlas_embeddings', OLD.`id`, coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'atlas_embeddings' AND pk = OLD.`id`), (SELECT coalesce(`project_id`, '') FROM `atlas_chunks` WHERE `id` = OLD.`chunk_id`), ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'atlas_embeddings' AND pk = OLD.`id`), (SELECT coalesce(`project_id`, '') FROM `atlas_chunks` WHERE `id` = OLD.`chunk_id`), '')), 1
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_atlas_embeddings_follow` AFTER UPDATE OF `project_id` ON `atlas_chunks`
WHEN OLD.`project_id` IS NOT NEW.`project_id` BEGIN
  UPDATE `atlas_embeddings` SET `chunk_id` = `chunk_id` WHERE `chunk_id` = NEW.`id`;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_atlas_decision_links_insert` AFTER INSERT ON `atlas_decision_links` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT tbl, json_array(pk, scope), scope, version,
      (SELECT max(seq) + 1 FROM fastest_changes WHERE scope = moved.scope), 2
    FROM fastest_changes AS moved
    WHERE tbl = 'atlas_decision_links' AND pk = NEW.`id` AND scope IS NOT NEW.`project_id`
    ON CONFLICT(tbl, pk) DO UPDATE SET version = excluded.version, seq = excluded.seq;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'atlas_decision_links', NEW.`id`, NEW.`project_id`, 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = NEW.`project_id`), 0
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_atlas_decision_links_update` AFTER UPDATE OF `id`, `project_id`, `decision_id`, `concept_id`, `confidence`, `created_at` ON `atlas_decision_links` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'atlas_decision_links', OLD.`id`, coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'atlas_decision_links' AND pk = OLD.`id`), OLD.`project_id`, ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'atlas_decision_links' AND pk = OLD.`id`), OLD.`project_id`, '')), 1
    WHERE OLD.`id` IS NOT NEW.`id`
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT tbl, json_array(pk, scope), scope, version,
      (SELECT max(seq) + 1 FROM fastest_changes WHERE scope = moved.scope), 2
    FROM fastest_changes AS moved
    WHERE tbl = 'atlas_decision_links' AND pk = NEW.`id` AND scope IS NOT NEW.`project_id`
    ON CONFLICT(tbl, pk) DO UPDATE SET version = excluded.version, seq = excluded.seq;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'atlas_decision_links', NEW.`id`, NEW.`project_id`, 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = NEW.`project_id`), 0
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_atlas_decision_links_delete` AFTER DELETE ON `atlas_decision_links` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'atlas_decision_links', OLD.`id`, coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'atlas_decision_links' AND pk = OLD.`id`), OLD.`project_id`, ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'atlas_decision_links' AND pk = OLD.`id`), OLD.`project_id`, '')), 1
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_atlas_diagrams_insert` AFTER INSERT ON `atlas_diagrams` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT tbl, json_array(pk, scope), scope, version,
      (SELECT max(seq) + 1 FROM fastest_changes WHERE scope = moved.scope), 2
    FROM fastest_changes AS moved
    WHERE tbl = 'atlas_diagrams' AND pk = NEW.`id` AND scope IS NOT NEW.`project_id`
    ON CONFLICT(tbl, pk) DO UPDATE SET version = excluded.version, seq = excluded.seq;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'atlas_diagrams', NEW.`id`, NEW.`project_id`, 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = NEW.`project_id`), 0
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_atlas_diagrams_update` AFTER UPDATE OF `id`, `project_id`, `concept_id`, `type`, `data`, `created_at` ON `atlas_diagrams` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'atlas_diagrams', OLD.`id`, coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'atlas_diagrams' AND pk = OLD.`id`), OLD.`project_id`, ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'atlas_diagrams' AND pk = OLD.`id`), OLD.`project_id`, '')), 1
    WHERE OLD.`id` IS NOT NEW.`id`
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT tbl, json_array(pk, scope), scope, version,
      (SELECT max(seq) + 1 FROM fastest_changes WHERE scope = moved.scope), 2
    FROM fastest_changes AS moved
    WHERE tbl = 'atlas_diagrams' AND pk = NEW.`id` AND scope IS NOT NEW.`project_id`
    ON CONFLICT(tbl, pk) DO UPDATE SET version = excluded.version, seq = excluded.seq;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'atlas_diagrams', NEW.`id`, NEW.`project_id`, 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = NEW.`project_id`), 0
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_atlas_diagrams_delete` AFTER DELETE ON `atlas_diagrams` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'atlas_diagrams', OLD.`id`, coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'atlas_diagrams' AND pk = OLD.`id`), OLD.`project_id`, ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'atlas_diagrams' AND pk = OLD.`id`), OLD.`project_id`, '')), 1
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_deployment_settings_insert` AFTER INSERT ON `deployment_settings` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT tbl, json_array(pk, scope), scope, version,
      (SELECT max(seq) + 1 FROM fastest_changes WHERE scope = moved.scope), 2
    FROM fastest_changes AS moved
    WHERE tbl = 'deployment_settings' AND pk = NEW.`workspace_id` AND scope IS NOT coalesce((SELECT coalesce(`project_id`, '') FROM `workspaces` WHERE `id` = NEW.`workspace_id`), (SELECT scope FROM fastest_changes WHERE tbl = 'deployment_settings' AND pk = NEW.`workspace_id`), '')
    ON CONFLICT(tbl, pk) DO UPDATE SET version = excluded.version, seq = excluded.seq;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'deployment_settings', NEW.`workspace_id`, coalesce((SELECT coalesce(`project_id`, '') FROM `workspaces` WHERE `id` = NEW.`workspace_id`), (SELECT scope FROM fastest_changes WHERE tbl = 'deployment_settings' AND pk = NEW.`workspace_id`), ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT coalesce(`project_id`, '') FROM `workspaces` WHERE `id` = NEW.`workspace_id`), (SELECT scope FROM fastest_changes WHERE tbl = 'deployment_settings' AND pk = NEW.`workspace_id`), '')), 0
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_deployment_settings_update` AFTER UPDATE OF `workspace_id`, `auto_deploy`, `runtime_override`, `build_command`, `start_command`, `created_at`, `updated_at` ON `deployment_settings` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'deployment_settings', OLD.`workspace_id`, coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'deployment_settings' AND pk = OLD.`workspace_id`), (SELECT coalesce(`project_id`, '') FROM `workspaces` WHERE `id` = OLD.`workspace_id`), ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'deployment_settings' AND pk = OLD.`workspace_id`), (SELECT coalesce(`project_id`, '') FROM `workspaces` WHERE `id` = OLD.`workspace_id`), '')), 1
    WHERE OLD.`workspace_id` IS NOT NEW.`workspace_id`
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT tbl, json_array(pk, scope), scope, version,
      (SELECT max(seq) + 1 FROM fastest_changes WHERE scope = moved.scope), 2
    FROM fastest_changes AS moved
    WHERE tbl = 'deployment_settings' AND pk = NEW.`workspace_id` AND scope IS NOT coalesce((SELECT coalesce(`project_id`, '') FROM `workspaces` WHERE `id` = NEW.`workspace_id`), (SELECT scope FROM fastest_changes WHERE tbl = 'deployment_settings' AND pk = NEW.`workspace_id`), '')
    ON CONFLICT(tbl, pk) DO UPDATE SET version = excluded.version, seq = excluded.seq;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'deployment_settings', NEW.`workspace_id`, coalesce((SELECT coalesce(`project_id`, '') FROM `workspaces` WHERE `id` = NEW.`workspace_id`), (SELECT scope FROM fastest_changes WHERE tbl = 'deployment_settings' AND pk = NEW.`workspace_id`), ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT coalesce(`project_id`, '') FROM `workspaces` WHERE `id` = NEW.`workspace_id`), (SELECT scope FROM fastest_changes WHERE tbl = 'deployment_settings' AND pk = NEW.`workspace_id`), '')), 0
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_deployment_settings_delete` AFTER DELETE ON `deployment_settings` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'deployment_settings', OLD.`workspace_id`, coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'deployment_settings' AND pk = OLD.`workspace_id`), (SELECT coalesce(`project_id`, '') FROM `workspaces` WHERE `id` = OLD.`workspace_id`), ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'deployment_settings' AND pk = OLD.`workspace_id`), (SELECT coalesce(`project_id`, '') FROM `workspaces` WHERE `id` = OLD.`workspace_id`), '')), 1
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_deployment_settings_follow` AFTER UPDATE OF `project_id` ON `workspaces`
WHEN OLD.`project_id` IS NOT NEW.`project_id` BEGIN
  UPDATE `deployment_settings` SET `workspace_id` = `workspace_id` WHERE `workspace_id` = NEW.`id`;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_deployments_insert` AFTER INSERT ON `deployments` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT tbl, json_array(pk, scope), scope, version,
      (SELECT max(seq) + 1 FROM fastest_changes WHERE scope = moved.scope), 2
    FROM fastest_changes AS moved
    WHERE tbl = 'deployments' AND pk = NEW.`id` AND scope IS NOT NEW.`project_id`
    ON CONFLICT(tbl, pk) DO UPDATE SET version = excluded.version, seq = excluded.seq;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'deployments', NEW.`id`, NEW.`project_id`, 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = NEW.`project_id`), 0
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_deployments_update` AFTER UPDATE OF `id`, `workspace_id`, `project_id`, `snapshot_id`, `status`, `trigger`, `url`, `error`, `started_at`, `completed_at` ON `deployments` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'deployments', OLD.`id`, coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'deployments' AND pk = OLD.`id`), OLD.`project_id`, ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'deployments' AND pk = OLD.`id`), OLD.`project_id`, '')), 1
    WHERE OLD.`id` IS NOT NEW.`id`
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT tbl, json_array(pk, scope), scope, version,
      (SELECT max(seq) + 1 FROM fastest_changes WHERE scope = moved.scope), 2
    FROM fastest_changes AS moved
    WHERE tbl = 'deployments' AND pk = NEW.`id` AND scope IS NOT NEW.`project_id`
    ON CONFLICT(tbl, pk) DO UPDATE SET version = excluded.version, seq = excluded.seq;
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'deployments', NEW.`id`, NEW.`project_id`, 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = NEW.`project_id`), 0
    WHERE true
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_deployments_delete` AFTER DELETE ON `deployments` BEGIN
  INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT 'deployments', OLD.`id`, coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'deployments' AND pk = OLD.`id`), OLD.`project_id`, ''), 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = coalesce((SELECT scope FROM fastest_changes WHERE tbl = 'deployments' AND pk = OLD.`id`), OLD.`project_id`, '')), 1
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
  SELECT RAISE(ABORT, 'fastest:unknown_table') FROM json_each(NEW.payload->'rows') WHERE key NOT IN ('users','projects','fastest_packs','snapshots','workspaces','drift_reports','activity_events','conversations','next_steps','project_decisions','action_items','action_item_runs','atlas_concepts','atlas_edges','atlas_chunks','atlas_embeddings','atlas_decision_links','atlas_diagrams','deployment_settings','deployments');
  SELECT RAISE(ABORT, 'fastest:unknown_table') FROM json_each(NEW.payload->'patch') WHERE key NOT IN ('users','projects','workspaces','conversations','next_steps','project_decisions','action_items','action_item_runs','atlas_concepts','atlas_edges','atlas_chunks','atlas_embeddings','atlas_decision_links','atlas_diagrams','deployment_settings','deployments');
  SELECT RAISE(ABORT, 'fastest:unknown_table') FROM json_each(NEW.payload->'delete') WHERE key NOT IN ('users','projects','fastest_packs','snapshots','workspaces','drift_reports','activity_events','conversations','next_steps','project_decisions','action_items','action_item_runs','atlas_concepts','atlas_edges','atlas_chunks','atlas_embeddings','atlas_decision_links','atlas_diagrams','deployment_settings','deployments');
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
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.atlas_concepts') UNION ALL SELECT value FROM json_each(NEW.payload->'$.patch.atlas_concepts')) AS o, json_each(o._j) AS c WHERE c.key NOT IN ('id','project_id','name','layer','type','description','source_snapshot_id','source_manifest_hash','metadata','created_at','updated_at');
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.atlas_edges') UNION ALL SELECT value FROM json_each(NEW.payload->'$.patch.atlas_edges')) AS o, json_each(o._j) AS c WHERE c.key NOT IN ('id','project_id','from_concept_id','to_concept_id','type','weight','created_at');
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.atlas_chunks') UNION ALL SELECT value FROM json_each(NEW.payload->'$.patch.atlas_chunks')) AS o, json_each(o._j) AS c WHERE c.key NOT IN ('id','project_id','concept_id','kind','content','file_path','symbol','source_hash','created_at');
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.atlas_embeddings') UNION ALL SELECT value FROM json_each(NEW.payload->'$.patch.atlas_embeddings')) AS o, json_each(o._j) AS c WHERE c.key NOT IN ('id','chunk_id','model','vector','created_at');
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.atlas_decision_links') UNION ALL SELECT value FROM json_each(NEW.payload->'$.patch.atlas_decision_links')) AS o, json_each(o._j) AS c WHERE c.key NOT IN ('id','project_id','decision_id','concept_id','confidence','created_at');
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.atlas_diagrams') UNION ALL SELECT value FROM json_each(NEW.payload->'$.patch.atlas_diagrams')) AS o, json_each(o._j) AS c WHERE c.key NOT IN ('id','project_id','concept_id','type','data','created_at');
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.deployment_settings') UNION ALL SELECT value FROM json_each(NEW.payload->'$.patch.deployment_settings')) AS o, json_each(o._j) AS c WHERE c.key NOT IN ('workspace_id','auto_deploy','runtime_override','build_command','start_command','created_at','updated_at');
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.deployments') UNION ALL SELECT value FROM json_each(NEW.payload->'$.patch.deployments')) AS o, json_each(o._j) AS c WHERE c.key NOT IN ('id','workspace_id','project_id','snapshot_id','status','trigger','url','error','started_at','completed_at');
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
  SELECT RAISE(ABORT, 'fastest:lock_missing') FROM (
      SELECT value->>'id' AS k FROM json_each(NEW.payload->'$.rows.atlas_concepts') UNION ALL SELECT value FROM json_each(NEW.payload->'$.delete.atlas_concepts'))
    WHERE coalesce(k, '') NOT IN (SELECT value->>1 FROM json_each(NEW.payload->'locks')
      WHERE value->>0 = 'atlas_concepts' AND value->>1 IS NOT NULL);
  SELECT RAISE(ABORT, 'fastest:lock_missing') FROM (
      SELECT value->>'id' AS k FROM json_each(NEW.payload->'$.rows.atlas_edges') UNION ALL SELECT value FROM json_each(NEW.payload->'$.delete.atlas_edges'))
    WHERE coalesce(k, '') NOT IN (SELECT value->>1 FROM json_each(NEW.payload->'locks')
      WHERE value->>0 = 'atlas_edges' AND value->>1 IS NOT NULL);
  SELECT RAISE(ABORT, 'fastest:lock_missing') FROM (
      SELECT value->>'id' AS k FROM json_each(NEW.payload->'$.rows.atlas_chunks') UNION ALL SELECT value FROM json_each(NEW.payload->'$.delete.atlas_chunks'))
    WHERE coalesce(k, '') NOT IN (SELECT value->>1 FROM json_each(NEW.payload->'locks')
      WHERE value->>0 = 'atlas_chunks' AND value->>1 IS NOT NULL);
  SELECT RAISE(ABORT, 'fastest:lock_missing') FROM (
      SELECT value->>'id' AS k FROM json_each(NEW.payload->'$.rows.atlas_embeddings') UNION ALL SELECT value FROM json_each(NEW.payload->'$.delete.atlas_embeddings'))
    WHERE coalesce(k, '') NOT IN (SELECT value->>1 FROM json_each(NEW.payload->'locks')
      WHERE value->>0 = 'atlas_embeddings' AND value->>1 IS NOT NULL);
  SELECT RAISE(ABORT, 'fastest:lock_missing') FROM (
      SELECT value->>'id' AS k FROM json_each(NEW.payload->'$.rows.atlas_decision_links') UNION ALL SELECT value FROM json_each(NEW.payload->'$.delete.atlas_decision_links'))
    WHERE coalesce(k, '') NOT IN (SELECT value->>1 FROM json_each(NEW.payload->'locks')
      WHERE value->>0 = 'atlas_decision_links' AND value->>1 IS NOT NULL);
  SELECT RAISE(ABORT, 'fastest:lock_missing') FROM (
      SELECT value->>'id' AS k FROM json_each(NEW.payload->'$.rows.atlas_diagrams') UNION ALL SELECT value FROM json_each(NEW.payload->'$.delete.atlas_diagrams'))
    WHERE coalesce(k, '') NOT IN (SELECT value->>1 FROM json_each(NEW.payload->'locks')
      WHERE value->>0 = 'atlas_diagrams' AND value->>1 IS NOT NULL);
  SELECT RAISE(ABORT, 'fastest:lock_missing') FROM (
      SELECT value->>'workspace_id' AS k FROM json_each(NEW.payload->'$.rows.deployment_settings') UNION ALL SELECT value FROM json_each(NEW.payload->'$.delete.deployment_settings'))
    WHERE coalesce(k, '') NOT IN (SELECT value->>1 FROM json_each(NEW.payload->'locks')
      WHERE value->>0 = 'deployment_settings' AND value->>1 IS NOT NULL);
  SELECT RAISE(ABORT, 'fastest:lock_missing') FROM (
      SELECT value->>'id' AS k FROM json_each(NEW.payload->'$.rows.deployments') UNION ALL SELECT value FROM json_each(NEW.payload->'$.delete.deployments'))
    WHERE coalesce(k, '') NOT IN (SELECT value->>1 FROM json_each(NEW.payload->'locks')
      WHERE value->>0 = 'deployments' AND value->>1 IS NOT NULL);
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
  UPDATE `atlas_concepts` SET `project_id`=iif(json_type(_j,'$.project_id') IS NULL,`project_id`,_j->>'project_id'),`name`=iif(json_type(_j,'$.name') IS NULL,`name`,_j->>'name'),`layer`=iif(json_type(_j,'$.layer') IS NULL,`layer`,_j->>'layer'),`type`=iif(json_type(_j,'$.type') IS NULL,`type`,_j->>'type'),`description`=iif(json_type(_j,'$.description') IS NULL,`description`,_j->>'description'),`source_snapshot_id`=iif(json_type(_j,'$.source_snapshot_id') IS NULL,`source_snapshot_id`,_j->>'source_snapshot_id'),`source_manifest_hash`=iif(json_type(_j,'$.source_manifest_hash') IS NULL,`source_manifest_hash`,_j->>'source_manifest_hash'),`metadata`=iif(json_type(_j,'$.metadata') IS NULL,`metadata`,_j->>'metadata'),`created_at`=iif(json_type(_j,'$.created_at') IS NULL,`created_at`,_j->>'created_at'),`updated_at`=iif(json_type(_j,'$.updated_at') IS NULL,`updated_at`,_j->>'updated_at')
    FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.atlas_concepts') UNION ALL SELECT value FROM json_each(NEW.payload->'$.patch.atlas_concepts')) WHERE `id` = _j->>'id';
  INSERT INTO `atlas_concepts`(`id`,`project_id`,`name`,`layer`,`type`,`description`,`source_snapshot_id`,`source_manifest_hash`,`metadata`,`created_at`,`updated_at`)
    SELECT _j->>'id',_j->>'project_id',_j->>'name',_j->>'layer',_j->>'type',_j->>'description',_j->>'source_snapshot_id',_j->>'source_manifest_hash',_j->>'metadata',coalesce(_j->>'created_at',(strftime('%Y-%m-%dT%H:%M:%fZ','now'))),coalesce(_j->>'updated_at',(strftime('%Y-%m-%dT%H:%M:%fZ','now')))
    FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.atlas_concepts')) WHERE NOT EXISTS (SELECT 1 FROM `atlas_concepts` WHERE `id` = _j->>'id');
  UPDATE `atlas_edges` SET `project_id`=iif(json_type(_j,'$.project_id') IS NULL,`project_id`,_j->>'project_id'),`from_concept_id`=iif(json_type(_j,'$.from_concept_id') IS NULL,`from_concept_id`,_j->>'from_concept_id'),`to_concept_id`=iif(json_type(_j,'$.to_concept_id') IS NULL,`to_concept_id`,_j->>'to_concept_id'),`type`=iif(json_type(_j,'$.type') IS NULL,`type`,_j->>'type'),`weight`=iif(json_type(_j,'$.weight') IS NULL,`weight`,_j->>'weight'),`created_at`=iif(json_type(_j,'$.created_at') IS NULL,`created_at`,_j->>'created_at')
    FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.atlas_edges') UNION ALL SELECT value FROM json_each(NEW.payload->'$.patch.atlas_edges')) WHERE `id` = _j->>'id';
  INSERT INTO `atlas_edges`(`id`,`project_id`,`from_concept_id`,`to_concept_id`,`type`,`weight`,`created_at`)
    SELECT _j->>'id',_j->>'project_id',_j->>'from_concept_id',_j->>'to_concept_id',_j->>'type',_j->>'weight',coalesce(_j->>'created_at',(strftime('%Y-%m-%dT%H:%M:%fZ','now')))
    FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.atlas_edges')) WHERE NOT EXISTS (SELECT 1 FROM `atlas_edges` WHERE `id` = _j->>'id');
  UPDATE `atlas_chunks` SET `project_id`=iif(json_type(_j,'$.project_id') IS NULL,`project_id`,_j->>'project_id'),`concept_id`=iif(json_type(_j,'$.concept_id') IS NULL,`concept_id`,_j->>'concept_id'),`kind`=iif(json_type(_j,'$.kind') IS NULL,`kind`,_j->>'kind'),`content`=iif(json_type(_j,'$.content') IS NULL,`content`,_j->>'content'),`file_path`=iif(json_type(_j,'$.file_path') IS NULL,`file_path`,_j->>'file_path'),`symbol`=iif(json_type(_j,'$.symbol') IS NULL,`symbol`,_j->>'symbol'),`source_hash`=iif(json_type(_j,'$.source_hash') IS NULL,`source_hash`,_j->>'source_hash'),`created_at`=iif(json_type(_j,'$.created_at') IS NULL,`created_at`,_j->>'created_at')
    FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.atlas_chunks') UNION ALL SELECT value FROM json_each(NEW.payload->'$.patch.atlas_chunks')) WHERE `id` = _j->>'id';
  INSERT INTO `atlas_chunks`(`id`,`project_id`,`concept_id`,`kind`,`content`,`file_path`,`symbol`,`source_hash`,`created_at`)
    SELECT _j->>'id',_j->>'project_id',_j->>'concept_id',_j->>'kind',_j->>'content',_j->>'file_path',_j->>'symbol',_j->>'source_hash',coalesce(_j->>'created_at',(strftime('%Y-%m-%dT%H:%M:%fZ','now')))
    FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.atlas_chunks')) WHERE NOT EXISTS (SELECT 1 FROM `atlas_chunks` WHERE `id` = _j->>'id');
  UPDATE `atlas_embeddings` SET `chunk_id`=iif(json_type(_j,'$.chunk_id') IS NULL,`chunk_id`,_j->>'chunk_id'),`model`=iif(json_type(_j,'$.model') IS NULL,`model`,_j->>'model'),`vector`=iif(json_type(_j,'$.vector') IS NULL,`vector`,_j->>'vector'),`created_at`=iif(json_type(_j,'$.created_at') IS NULL,`created_at`,_j->>'created_at')
    FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.atlas_embeddings') UNION ALL SELECT value FROM json_each(NEW.payload->'$.patch.atlas_embeddings')) WHERE `id` = _j->>'id';
  INSERT INTO `atlas_embeddings`(`id`,`chunk_id`,`model`,`vector`,`created_at`)
    SELECT _j->>'id',_j->>'chunk_id',_j->>'model',_j->>'vector',coalesce(_j->>'created_at',(strftime('%Y-%m-%dT%H:%M:%fZ','now')))
    FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.atlas_embeddings')) WHERE NOT EXISTS (SELECT 1 FROM `atlas_embeddings` WHERE `id` = _j->>'id');
  UPDATE `atlas_decision_links` SET `project_id`=iif(json_type(_j,'$.project_id') IS NULL,`project_id`,_j->>'project_id'),`decision_id`=iif(json_type(_j,'$.decision_id') IS NULL,`decision_id`,_j->>'decision_id'),`concept_id`=iif(json_type(_j,'$.concept_id') IS NULL,`concept_id`,_j->>'concept_id'),`confidence`=iif(json_type(_j,'$.confidence') IS NULL,`confidence`,_j->>'confidence'),`created_at`=iif(json_type(_j,'$.created_at') IS NULL,`created_at`,_j->>'created_at')
    FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.atlas_decision_links') UNION ALL SELECT value FROM json_each(NEW.payload->'$.patch.atlas_decision_links')) WHERE `id` = _j->>'id';
  INSERT INTO `atlas_decision_links`(`id`,`project_id`,`decision_id`,`concept_id`,`confidence`,`created_at`)
    SELECT _j->>'id',_j->>'project_id',_j->>'decision_id',_j->>'concept_id',_j->>'confidence',coalesce(_j->>'created_at',(strftime('%Y-%m-%dT%H:%M:%fZ','now')))
    FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.atlas_decision_links')) WHERE NOT EXISTS (SELECT 1 FROM `atlas_decision_links` WHERE `id` = _j->>'id');
  UPDATE `atlas_diagrams` SET `project_id`=iif(json_type(_j,'$.project_id') IS NULL,`project_id`,_j->>'project_id'),`concept_id`=iif(json_type(_j,'$.concept_id') IS NULL,`concept_id`,_j->>'concept_id'),`type`=iif(json_type(_j,'$.type') IS NULL,`type`,_j->>'type'),`data`=iif(json_type(_j,'$.data') IS NULL,`data`,_j->>'data'),`created_at`=iif(json_type(_j,'$.created_at') IS NULL,`created_at`,_j->>'created_at')
    FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.atlas_diagrams') UNION ALL SELECT value FROM json_each(NEW.payload->'$.patch.atlas_diagrams')) WHERE `id` = _j->>'id';
  INSERT INTO `atlas_diagrams`(`id`,`project_id`,`concept_id`,`type`,`data`,`created_at`)
    SELECT _j->>'id',_j->>'project_id',_j->>'concept_id',_j->>'type',_j->>'data',coalesce(_j->>'created_at',(strftime('%Y-%m-%dT%H:%M:%fZ','now')))
    FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.atlas_diagrams')) WHERE NOT EXISTS (SELECT 1 FROM `atlas_diagrams` WHERE `id` = _j->>'id');
  UPDATE `deployment_settings` SET `auto_deploy`=iif(json_type(_j,'$.auto_deploy') IS NULL,`auto_deploy`,_j->>'auto_deploy'),`runtime_override`=iif(json_type(_j,'$.runtime_override') IS NULL,`runtime_override`,_j->>'runtime_override'),`build_command`=iif(json_type(_j,'$.build_command') IS NULL,`build_command`,_j->>'build_command'),`start_command`=iif(json_type(_j,'$.start_command') IS NULL,`start_command`,_j->>'start_command'),`created_at`=iif(json_type(_j,'$.created_at') IS NULL,`created_at`,_j->>'created_at'),`updated_at`=iif(json_type(_j,'$.updated_at') IS NULL,`updated_at`,_j->>'updated_at')
    FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.deployment_settings') UNION ALL SELECT value FROM json_each(NEW.payload->'$.patch.deployment_settings')) WHERE `workspace_id` = _j->>'workspace_id';
  INSERT INTO `deployment_settings`(`workspace_id`,`auto_deploy`,`runtime_override`,`build_command`,`start_command`,`created_at`,`updated_at`)
    SELECT _j->>'workspace_id',coalesce(_j->>'auto_deploy',0),_j->>'runtime_override',_j->>'build_command',_j->>'start_command',coalesce(_j->>'created_at',(strftime('%Y-%m-%dT%H:%M:%fZ','now'))),coalesce(_j->>'updated_at',(strftime('%Y-%m-%dT%H:%M:%fZ','now')))
    FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.deployment_settings')) WHERE NOT EXISTS (SELECT 1 FROM `deployment_settings` WHERE `workspace_id` = _j->>'workspace_id');
  UPDATE `deployments` SET `workspace_id`=iif(json_type(_j,'$.workspace_id') IS NULL,`workspace_id`,_j->>'workspace_id'),`project_id`=iif(json_type(_j,'$.project_id') IS NULL,`project_id`,_j->>'project_id'),`snapshot_id`=iif(json_type(_j,'$.snapshot_id') IS NULL,`snapshot_id`,_j->>'snapshot_id'),`status`=iif(json_type(_j,'$.status') IS NULL,`status`,_j->>'status'),`trigger`=iif(json_type(_j,'$.trigger') IS NULL,`trigger`,_j->>'trigger'),`url`=iif(json_type(_j,'$.url') IS NULL,`url`,_j->>'url'),`error`=iif(json_type(_j,'$.error') IS NULL,`error`,_j->>'error'),`started_at`=iif(json_type(_j,'$.started_at') IS NULL,`started_at`,_j->>'started_at'),`completed_at`=iif(json_type(_j,'$.completed_at') IS NULL,`completed_at`,_j->>'completed_at')
    FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.deployments') UNION ALL SELECT value FROM json_each(NEW.payload->'$.patch.deployments')) WHERE `id` = _j->>'id';
  INSERT INTO `deployments`(`id`,`workspace_id`,`project_id`,`snapshot_id`,`status`,`trigger`,`url`,`error`,`started_at`,`completed_at`)
    SELECT _j->>'id',_j->>'workspace_id',_j->>'project_id',_j->>'snapshot_id',_j->>'status',_j->>'trigger',_j->>'url',_j->>'error',_j->>'started_at',_j->>'completed_at'
    FROM (SELECT value AS _j FROM json_each(NEW.payload->'$.rows.deployments')) WHERE NOT EXISTS (SELECT 1 FROM `deployments` WHERE `id` = _j->>'id');
  DELETE FROM `deployments` WHERE `id` IN (SELECT value FROM json_each(NEW.payload->'$.delete.deployments'));
  DELETE FROM `deployment_settings` WHERE `workspace_id` IN (SELECT value FROM json_each(NEW.payload->'$.delete.deployment_settings'));
  DELETE FROM `atlas_diagrams` WHERE `id` IN (SELECT value FROM json_each(NEW.payload->'$.delete.atlas_diagrams'));
  DELETE FROM `atlas_decision_links` WHERE `id` IN (SELECT value FROM json_each(NEW.payload->'$.delete.atlas_decision_links'));
  DELETE FROM `atlas_embeddings` WHERE `id` IN (SELECT value FROM json_each(NEW.payload->'$.delete.atlas_embeddings'));
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM json_each(NEW.payload->'$.delete.atlas_chunks') AS d
    CROSS JOIN `atlas_embeddings` AS c ON c.`chunk_id` = d.value
    WHERE c.`id` NOT IN (SELECT value->>1 FROM json_each(NEW.payload->'locks')
      WHERE value->>0 = 'atlas_embeddings' AND value->>1 IS NOT NULL);
  DELETE FROM `atlas_chunks` WHERE `id` IN (SELECT value FROM json_each(NEW.payload->'$.delete.atlas_chunks'));
  DELETE FROM `atlas_edges` WHERE `id` IN (SELECT value FROM json_each(NEW.payload->'$.delete.atlas_edges'));
  DELETE FROM `atlas_concepts` WHERE `id` IN (SELECT value FROM json_each(NEW.payload->'$.delete.atlas_concepts'));
  DELETE FROM `action_item_runs` WHERE `id` IN (SELECT value FROM json_each(NEW.payload->'$.delete.action_item_runs'));
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM json_each(NEW.payload->'$.delete.action_items') AS d
    CROSS JOIN `action_item_runs` AS c ON c.`action_item_id` = d.value
    WHERE c.`id` NOT IN (SELECT value->>1 FROM json_each(NEW.payload->'locks')
      WHERE value->>0 = 'action_item_runs' AND value->>1 IS NOT NULL);
  DELETE FROM `action_items` WHERE `id` IN (SELECT value FROM json_each(NEW.payload->'$.delete.action_items'));
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM json_each(NEW.payload->'$.delete.project_decisions') AS d
    CROSS JOIN `atlas_decision_links` AS c ON c.`decision_id` = d.value
    WHERE c.`id` NOT IN (SELECT value->>1 FROM json_each(NEW.payload->'locks')
      WHERE value->>0 = 'atlas_decision_links' AND value->>1 IS NOT NULL);
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
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM json_each(NEW.payload->'$.delete.workspaces') AS d
    CROSS JOIN `deployment_settings` AS c ON c.`workspace_id` = d.value
    WHERE c.`workspace_id` NOT IN (SELECT value->>1 FROM json_each(NEW.payload->'locks')
      WHERE value->>0 = 'deployment_settings' AND value->>1 IS NOT NULL);
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM json_each(NEW.payload->'$.delete.workspaces') AS d
    CROSS JOIN `deployments` AS c ON c.`workspace_id` = d.value
    WHERE c.`id` NOT IN (SELECT value->>1 FROM json_each(NEW.payload->'locks')
      WHERE value->>0 = 'deployments' AND value->>1 IS NOT NULL);
  DELETE FROM `workspaces` WHERE `id` IN (SELECT value FROM json_each(NEW.payload->'$.delete.workspaces'));
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM json_each(NEW.payload->'$.delete.snapshots') AS d
    CROSS JOIN `atlas_concepts` AS c ON c.`source_snapshot_id` = d.value
    WHERE c.`id` NOT IN (SELECT value->>1 FROM json_each(NEW.payload->'locks')
      WHERE value->>0 = 'atlas_concepts' AND value->>1 IS NOT NULL);
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM json_each(NEW.payload->'$.delete.snapshots') AS d
    CROSS JOIN `deployments` AS c ON c.`snapshot_id` = d.value
    WHERE c.`id` NOT IN (SELECT value->>1 FROM json_each(NEW.payload->'locks')
      WHERE value->>0 = 'deployments' AND value->>1 IS NOT NULL);
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
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM json_each(NEW.payload->'$.delete.projects') AS d
    CROSS JOIN `atlas_concepts` AS c ON c.`project_id` = d.value
    WHERE c.`id` NOT IN (SELECT value->>1 FROM json_each(NEW.payload->'locks')
      WHERE value->>0 = 'atlas_concepts' AND value->>1 IS NOT NULL);
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM json_each(NEW.payload->'$.delete.projects') AS d
    CROSS JOIN `atlas_edges` AS c ON c.`project_id` = d.value
    WHERE c.`id` NOT IN (SELECT value->>1 FROM json_each(NEW.payload->'locks')
      WHERE value->>0 = 'atlas_edges' AND value->>1 IS NOT NULL);
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM json_each(NEW.payload->'$.delete.projects') AS d
    CROSS JOIN `atlas_chunks` AS c ON c.`project_id` = d.value
    WHERE c.`id` NOT IN (SELECT value->>1 FROM json_each(NEW.payload->'locks')
      WHERE value->>0 = 'atlas_chunks' AND value->>1 IS NOT NULL);
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM json_each(NEW.payload->'$.delete.projects') AS d
    CROSS JOIN `atlas_decision_links` AS c ON c.`project_id` = d.value
    WHERE c.`id` NOT IN (SELECT value->>1 FROM json_each(NEW.payload->'locks')
      WHERE value->>0 = 'atlas_decision_links' AND value->>1 IS NOT NULL);
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM json_each(NEW.payload->'$.delete.projects') AS d
    CROSS JOIN `atlas_diagrams` AS c ON c.`project_id` = d.value
    WHERE c.`id` NOT IN (SELECT value->>1 FROM json_each(NEW.payload->'locks')
      WHERE value->>0 = 'atlas_diagrams' AND value->>1 IS NOT NULL);
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM json_each(NEW.payload->'$.delete.projects') AS d
    CROSS JOIN `deployments` AS c ON c.`project_id` = d.value
    WHERE c.`id` NOT IN (SELECT value->>1 FROM json_each(NEW.payload->'locks')
      WHERE value->>0 = 'deployments' AND value->>1 IS NOT NULL);
  DELETE FROM `projects` WHERE `id` IN (SELECT value FROM json_each(NEW.payload->'$.delete.projects'));
  DELETE FROM `users` WHERE `id` IN (SELECT value FROM json_each(NEW.payload->'$.delete.users'));
  INSERT INTO fastest_pushes(id, device, counter)
    VALUES (NEW.id, NEW.device, NEW.payload->>'counter');
  DELETE FROM fastest_pushes
    WHERE device = NEW.device AND counter <= (NEW.payload->>'counter') - 1000;
END;
