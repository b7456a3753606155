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
CREATE VIEW `fastest_row_users` AS SELECT t.`id` AS pk,
  0+length(t.`id`)+length(t.`email`)+coalesce(length(t.`name`),0)+coalesce(length(t.`picture`),0)+length(t.`created_at`) AS size,
  '['||
  iif(typeof(t.`id`)='blob','{"blob":"'||hex(t.`id`)||'"}',json_quote(t.`id`))||','||
  iif(typeof(t.`email`)='blob','{"blob":"'||hex(t.`email`)||'"}',json_quote(t.`email`))||','||
  iif(typeof(t.`name`)='blob','{"blob":"'||hex(t.`name`)||'"}',json_quote(t.`name`))||','||
  iif(typeof(t.`picture`)='blob','{"blob":"'||hex(t.`picture`)||'"}',json_quote(t.`picture`))||','||
  iif(typeof(t.`created_at`)='blob','{"blob":"'||hex(t.`created_at`)||'"}',json_quote(t.`created_at`))||']' AS row_430082a8
FROM `users` AS t;
--> statement-breakpoint
CREATE VIEW `fastest_row_projects` AS SELECT t.`id` AS pk,
  0+length(t.`id`)+length(t.`owner_user_id`)+length(t.`name`)+coalesce(length(t.`intent`),0)+coalesce(length(t.`brief`),0)+length(t.`created_at`)+length(t.`updated_at`)+coalesce(length(t.`last_snapshot_id`),0)+coalesce(length(t.`main_workspace_id`),0) AS size,
  '['||
  iif(typeof(t.`id`)='blob','{"blob":"'||hex(t.`id`)||'"}',json_quote(t.`id`))||','||
  iif(typeof(t.`owner_user_id`)='blob','{"blob":"'||hex(t.`owner_user_id`)||'"}',json_quote(t.`owner_user_id`))||','||
  iif(typeof(t.`name`)='blob','{"blob":"'||hex(t.`name`)||'"}',json_quote(t.`name`))||','||
  iif(typeof(t.`intent`)='blob','{"blob":"'||hex(t.`intent`)||'"}',json_quote(t.`intent`))||','||
  iif(typeof(t.`brief`)='blob','{"blob":"'||hex(t.`brief`)||'"}',json_quote(t.`brief`))||','||
  iif(typeof(t.`created_at`)='blob','{"blob":"'||hex(t.`created_at`)||'"}',json_quote(t.`created_at`))||','||
  iif(typeof(t.`updated_at`)='blob','{"blob":"'||hex(t.`updated_at`)||'"}',json_quote(t.`updated_at`))||','||
  iif(typeof(t.`last_snapshot_id`)='blob','{"blob":"'||hex(t.`last_snapshot_id`)||'"}',json_quote(t.`last_snapshot_id`))||','||
  iif(typeof(t.`main_workspace_id`)='blob','{"blob":"'||hex(t.`main_workspace_id`)||'"}',json_quote(t.`main_workspace_id`))||']' AS row_429882a8
FROM `projects` AS t;
--> statement-breakpoint
CREATE VIEW `fastest_row_fastest_packs` AS SELECT t.`id` AS pk,
  40+length(t.`id`)+length(t.`project_id`)+length(t.`pack_id`)+iif(data IS NULL, 0, bytes * 4 / 3 / max(parts, 1))+length(t.`created_at`) AS size,
  '['||
  iif(typeof(t.`id`)='blob','{"blob":"'||hex(t.`id`)||'"}',json_quote(t.`id`))||','||
  iif(typeof(t.`project_id`)='blob','{"blob":"'||hex(t.`project_id`)||'"}',json_quote(t.`project_id`))||','||
  iif(typeof(t.`pack_id`)='blob','{"blob":"'||hex(t.`pack_id`)||'"}',json_quote(t.`pack_id`))||','||
  CASE typeof(t.`part`) WHEN 'real' THEN '["real",'||json_quote(CAST(t.`part` AS TEXT))||']' WHEN 'blob' THEN '{"blob":"'||hex(t.`part`)||'"}' ELSE json_quote(t.`part`) END ||','||
  CASE typeof(t.`parts`) WHEN 'real' THEN '["real",'||json_quote(CAST(t.`parts` AS TEXT))||']' WHEN 'blob' THEN '{"blob":"'||hex(t.`parts`)||'"}' ELSE json_quote(t.`parts`) END ||','||
  CASE typeof(t.`bytes`) WHEN 'real' THEN '["real",'||json_quote(CAST(t.`bytes` AS TEXT))||']' WHEN 'blob' THEN '{"blob":"'||hex(t.`bytes`)||'"}' ELSE json_quote(t.`bytes`) END ||','||
  CASE typeof(t.`objects`) WHEN 'real' THEN '["real",'||json_quote(CAST(t.`objects` AS TEXT))||']' WHEN 'blob' THEN '{"blob":"'||hex(t.`objects`)||'"}' ELSE json_quote(t.`objects`) END ||','||
  iif(typeof(t.`data`)='blob','{"blob":"'||hex(t.`data`)||'"}',json_quote(t.`data`))||','||
  iif(typeof(t.`created_at`)='blob','{"blob":"'||hex(t.`created_at`)||'"}',json_quote(t.`created_at`))||']' AS row_553baeb5
FROM `fastest_packs` AS t;
--> statement-breakpoint
CREATE VIEW `fastest_row_snapshots` AS SELECT t.`id` AS pk,
  0+length(t.`id`)+length(t.`project_id`)+coalesce(length(t.`workspace_id`),0)+length(t.`manifest_hash`)+length(t.`parent_snapshot_ids`)+length(t.`source`)+coalesce(length(t.`summary`),0)+length(t.`created_at`) AS size,
  '['||
  iif(typeof(t.`id`)='blob','{"blob":"'||hex(t.`id`)||'"}',json_quote(t.`id`))||','||
  iif(typeof(t.`project_id`)='blob','{"blob":"'||hex(t.`project_id`)||'"}',json_quote(t.`project_id`))||','||
  iif(typeof(t.`workspace_id`)='blob','{"blob":"'||hex(t.`workspace_id`)||'"}',json_quote(t.`workspace_id`))||','||
  iif(typeof(t.`manifest_hash`)='blob','{"blob":"'||hex(t.`manifest_hash`)||'"}',json_quote(t.`manifest_hash`))||','||
  iif(typeof(t.`parent_snapshot_ids`)='blob','{"blob":"'||hex(t.`parent_snapshot_ids`)||'"}',json_quote(t.`parent_snapshot_ids`))||','||
  iif(typeof(t.`source`)='blob','{"blob":"'||hex(t.`source`)||'"}',json_quote(t.`source`))||','||
  iif(typeof(t.`summary`)='blob','{"blob":"'||hex(t.`summary`)||'"}',json_quote(t.`summary`))||','||
  iif(typeof(t.`created_at`)='blob','{"blob":"'||hex(t.`created_at`)||'"}',json_quote(t.`created_at`))||']' AS row_bd41dc3a
FROM `snapshots` AS t;
--> statement-breakpoint
CREATE VIEW `fastest_row_workspaces` AS SELECT t.`id` AS pk,
  10+length(t.`id`)+length(t.`project_id`)+length(t.`name`)+coalesce(length(t.`machine_id`),0)+coalesce(length(t.`base_snapshot_id`),0)+coalesce(length(t.`current_snapshot_id`),0)+coalesce(length(t.`current_manifest_hash`),0)+coalesce(length(t.`local_path`),0)+coalesce(length(t.`last_seen_at`),0)+length(t.`created_at`)+coalesce(length(t.`merge_history`),0) AS size,
  '['||
  iif(typeof(t.`id`)='blob','{"blob":"'||hex(t.`id`)||'"}',json_quote(t.`id`))||','||
  iif(typeof(t.`project_id`)='blob','{"blob":"'||hex(t.`project_id`)||'"}',json_quote(t.`project_id`))||','||
  iif(typeof(t.`name`)='blob','{"blob":"'||hex(t.`name`)||'"}',json_quote(t.`name`))||','||
  iif(typeof(t.`machine_id`)='blob','{"blob":"'||hex(t.`machine_id`)||'"}',json_quote(t.`machine_id`))||','||
  iif(typeof(t.`base_snapshot_id`)='blob','{"blob":"'||hex(t.`base_snapshot_id`)||'"}',json_quote(t.`base_snapshot_id`))||','||
  iif(typeof(t.`current_snapshot_id`)='blob','{"blob":"'||hex(t.`current_snapshot_id`)||'"}',json_quote(t.`current_snapshot_id`))||','||
  iif(typeof(t.`current_manifest_hash`)='blob','{"blob":"'||hex(t.`current_manifest_hash`)||'"}',json_quote(t.`current_manifest_hash`))||','||
  iif(typeof(t.`local_path`)='blob','{"blob":"'||hex(t.`local_path`)||'"}',json_quote(t.`local_path`))||','||
  iif(typeof(t.`last_seen_at`)='blob','{"blob":"'||hex(t.`last_seen_at`)||'"}',json_quote(t.`last_seen_at`))||','||
  iif(typeof(t.`created_at`)='blob','{"blob":"'||hex(t.`created_at`)||'"}',json_quote(t.`created_at`))||','||
  CASE typeof(t.`version`) WHEN 'real' THEN '["real",'||json_quote(CAST(t.`version` AS TEXT))||']' WHEN 'blob' THEN '{"blob":"'||hex(t.`version`)||'"}' ELSE json_quote(t.`version`) END ||','||
  iif(typeof(t.`merge_history`)='blob','{"blob":"'||hex(t.`merge_history`)||'"}',json_quote(t.`merge_history`))||']' AS row_5916bc08
FROM `workspaces` AS t;
--> statement-breakpoint
CREATE VIEW `fastest_row_drift_reports` AS SELECT t.`id` AS pk,
  40+length(t.`id`)+length(t.`workspace_id`)+coalesce(length(t.`source_workspace_id`),0)+coalesce(length(t.`workspace_snapshot_id`),0)+coalesce(length(t.`source_snapshot_id`),0)+length(t.`source_only`)+length(t.`workspace_only`)+length(t.`both_same`)+length(t.`both_different`)+coalesce(length(t.`summary`),0)+length(t.`reported_at`) AS size,
  '['||
  iif(typeof(t.`id`)='blob','{"blob":"'||hex(t.`id`)||'"}',json_quote(t.`id`))||','||
  iif(typeof(t.`workspace_id`)='blob','{"blob":"'||hex(t.`workspace_id`)||'"}',json_quote(t.`workspace_id`))||','||
  iif(typeof(t.`source_workspace_id`)='blob','{"blob":"'||hex(t.`source_workspace_id`)||'"}',json_quote(t.`source_workspace_id`))||','||
  iif(typeof(t.`workspace_snapshot_id`)='blob','{"blob":"'||hex(t.`workspace_snapshot_id`)||'"}',json_quote(t.`workspace_snapshot_id`))||','||
  iif(typeof(t.`source_snapshot_id`)='blob','{"blob":"'||hex(t.`source_snapshot_id`)||'"}',json_quote(t.`source_snapshot_id`))||','||
  iif(typeof(t.`source_only`)='blob','{"blob":"'||hex(t.`source_only`)||'"}',json_quote(t.`source_only`))||','||
  iif(typeof(t.`workspace_only`)='blob','{"blob":"'||hex(t.`workspace_only`)||'"}',json_quote(t.`workspace_only`))||','||
  iif(typeof(t.`both_same`)='blob','{"blob":"'||hex(t.`both_same`)||'"}',json_quote(t.`both_same`))||','||
  iif(typeof(t.`both_different`)='blob','{"blob":"'||hex(t.`both_different`)||'"}',json_quote(t.`both_different`))||','||
  CASE typeof(t.`files_added`) WHEN 'real' THEN '["real",'||json_quote(CAST(t.`files_added` AS TEXT))||']' WHEN 'blob' THEN '{"blob":"'||hex(t.`files_added`)||'"}' ELSE json_quote(t.`files_added`) END ||','||
  CASE typeof(t.`files_modified`) WHEN 'real' THEN '["real",'||json_quote(CAST(t.`files_modified` AS TEXT))||']' WHEN 'blob' THEN '{"blob":"'||hex(t.`files_modified`)||'"}' ELSE json_quote(t.`files_modified`) END ||','||
  CASE typeof(t.`files_deleted`) WHEN 'real' THEN '["real",'||json_quote(CAST(t.`files_deleted` AS TEXT))||']' WHEN 'blob' THEN '{"blob":"'||hex(t.`files_deleted`)||'"}' ELSE json_quote(t.`files_deleted`) END ||','||
  CASE typeof(t.`bytes_changed`) WHEN 'real' THEN '["real",'||json_quote(CAST(t.`bytes_changed` AS TEXT))||']' WHEN 'blob' THEN '{"blob":"'||hex(t.`bytes_changed`)||'"}' ELSE json_quote(t.`bytes_changed`) END ||','||
  iif(typeof(t.`summary`)='blob','{"blob":"'||hex(t.`summary`)||'"}',json_quote(t.`summary`))||','||
  iif(typeof(t.`reported_at`)='blob','{"blob":"'||hex(t.`reported_at`)||'"}',json_quote(t.`reported_at`))||']' AS row_836e9b17
FROM `drift_reports` AS t;
--> statement-breakpoint
CREATE VIEW `fastest_row_activity_events` AS SELECT t.`id` AS pk,
  0+length(t.`id`)+length(t.`project_id`)+coalesce(length(t.`workspace_id`),0)+length(t.`actor`)+length(t.`type`)+coalesce(length(t.`snapshot_id`),0)+coalesce(length(t.`message`),0)+length(t.`created_at`) AS size,
  '['||
  iif(typeof(t.`id`)='blob','{"blob":"'||hex(t.`id`)||'"}',json_quote(t.`id`))||','||
  iif(typeof(t.`project_id`)='blob','{"blob":"'||hex(t.`project_id`)||'"}',json_quote(t.`project_id`))||','||
  iif(typeof(t.`workspace_id`)='blob','{"blob":"'||hex(t.`workspace_id`)||'"}',json_quote(t.`workspace_id`))||','||
  iif(typeof(t.`actor`)='blob','{"blob":"'||hex(t.`actor`)||'"}',json_quote(t.`actor`))||','||
  iif(typeof(t.`type`)='blob','{"blob":"'||hex(t.`type`)||'"}',json_quote(t.`type`))||','||
  iif(typeof(t.`snapshot_id`)='blob','{"blob":"'||hex(t.`snapshot_id`)||'"}',json_quote(t.`snapshot_id`))||','||
  iif(typeof(t.`message`)='blob','{"blob":"'||hex(t.`message`)||'"}',json_quote(t.`message`))||','||
  iif(typeof(t.`created_at`)='blob','{"blob":"'||hex(t.`created_at`)||'"}',json_quote(t.`created_at`))||']' AS row_2abe91bd
FROM `activity_events` AS t;
--> statement-breakpoint
CREATE VIEW `fastest_row_conversations` AS SELECT t.`id` AS pk,
  0+length(t.`id`)+length(t.`workspace_id`)+coalesce(length(t.`title`),0)+length(t.`created_at`)+length(t.`updated_at`) AS size,
  '['||
  iif(typeof(t.`id`)='blob','{"blob":"'||hex(t.`id`)||'"}',json_quote(t.`id`))||','||
  iif(typeof(t.`workspace_id`)='blob','{"blob":"'||hex(t.`workspace_id`)||'"}',json_quote(t.`workspace_id`))||','||
  iif(typeof(t.`title`)='blob','{"blob":"'||hex(t.`title`)||'"}',json_quote(t.`title`))||','||
  iif(typeof(t.`created_at`)='blob','{"blob":"'||hex(t.`created_at`)||'"}',json_quote(t.`created_at`))||','||
  iif(typeof(t.`updated_at`)='blob','{"blob":"'||hex(t.`updated_at`)||'"}',json_quote(t.`updated_at`))||']' AS row_b75ae4b4
FROM `conversations` AS t;
--> statement-breakpoint
CREATE VIEW `fastest_row_next_steps` AS SELECT t.`id` AS pk,
  30+length(t.`id`)+length(t.`project_id`)+length(t.`title`)+coalesce(length(t.`description`),0)+coalesce(length(t.`rationale`),0)+length(t.`category`)+coalesce(length(t.`effort`),0)+length(t.`status`)+coalesce(length(t.`model`),0)+length(t.`generated_at`)+coalesce(length(t.`acted_on_at`),0) AS size,
  '['||
  iif(typeof(t.`id`)='blob','{"blob":"'||hex(t.`id`)||'"}',json_quote(t.`id`))||','||
  iif(typeof(t.`project_id`)='blob','{"blob":"'||hex(t.`project_id`)||'"}',json_quote(t.`project_id`))||','||
  iif(typeof(t.`title`)='blob','{"blob":"'||hex(t.`title`)||'"}',json_quote(t.`title`))||','||
  iif(typeof(t.`description`)='blob','{"blob":"'||hex(t.`description`)||'"}',json_quote(t.`description`))||','||
  iif(typeof(t.`rationale`)='blob','{"blob":"'||hex(t.`rationale`)||'"}',json_quote(t.`rationale`))||','||
  iif(typeof(t.`category`)='blob','{"blob":"'||hex(t.`category`)||'"}',json_quote(t.`category`))||','||
  CASE typeof(t.`priority`) WHEN 'real' THEN '["real",'||json_quote(CAST(t.`priority` AS TEXT))||']' WHEN 'blob' THEN '{"blob":"'||hex(t.`priority`)||'"}' ELSE json_quote(t.`priority`) END ||','||
  iif(typeof(t.`effort`)='blob','{"blob":"'||hex(t.`effort`)||'"}',json_quote(t.`effort`))||','||
  iif(typeof(t.`status`)='blob','{"blob":"'||hex(t.`status`)||'"}',json_quote(t.`status`))||','||
  CASE typeof(t.`helpful_count`) WHEN 'real' THEN '["real",'||json_quote(CAST(t.`helpful_count` AS TEXT))||']' WHEN 'blob' THEN '{"blob":"'||hex(t.`helpful_count`)||'"}' ELSE json_quote(t.`helpful_count`) END ||','||
  CASE typeof(t.`not_helpful_count`) WHEN 'real' THEN '["real",'||json_quote(CAST(t.`not_helpful_count` AS TEXT))||']' WHEN 'blob' THEN '{"blob":"'||hex(t.`not_helpful_count`)||'"}' ELSE json_quote(t.`not_helpful_count`) END ||','||
  iif(typeof(t.`model`)='blob','{"blob":"'||hex(t.`model`)||'"}',json_quote(t.`model`))||','||
  iif(typeof(t.`generated_at`)='blob','{"blob":"'||hex(t.`generated_at`)||'"}',json_quote(t.`generated_at`))||','||
  iif(typeof(t.`acted_on_at`)='blob','{"blob":"'||hex(t.`acted_on_at`)||'"}',json_quote(t.`acted_on_at`))||']' AS row_ff5e283c
FROM `next_steps` AS t;
--> statement-breakpoint
CREATE VIEW `fastest_row_project_decisions` AS SELECT t.`id` AS pk,
  0+length(t.`id`)+length(t.`project_id`)+coalesce(length(t.`conversation_id`),0)+length(t.`decision`)+coalesce(length(t.`rationale`),0)+coalesce(length(t.`category`),0)+length(t.`decided_at`) AS size,
  '['||
  iif(typeof(t.`id`)='blob','{"blob":"'||hex(t.`id`)||'"}',json_quote(t.`id`))||','||
  iif(typeof(t.`project_id`)='blob','{"blob":"'||hex(t.`project_id`)||'"}',json_quote(t.`project_id`))||','||
  iif(typeof(t.`conversation_id`)='blob','{"blob":"'||hex(t.`conversation_id`)||'"}',json_quote(t.`conversation_id`))||','||
  iif(typeof(t.`decision`)='blob','{"blob":"'||hex(t.`decision`)||'"}',json_quote(t.`decision`))||','||
  iif(typeof(t.`rationale`)='blob','{"blob":"'||hex(t.`rationale`)||'"}',json_quote(t.`rationale`))||','||
  iif(typeof(t.`category`)='blob','{"blob":"'||hex(t.`category`)||'"}',json_quote(t.`category`))||','||
  iif(typeof(t.`decided_at`)='blob','{"blob":"'||hex(t.`decided_at`)||'"}',json_quote(t.`decided_at`))||']' AS row_90f8b628
FROM `project_decisions` AS t;
--> statement-breakpoint
CREATE VIEW `fastest_row_action_items` AS SELECT t.`id` AS pk,
  0+length(t.`id`)+length(t.`workspace_id`)+length(t.`project_id`)+length(t.`type`)+length(t.`severity`)+length(t.`title`)+coalesce(length(t.`description`),0)+coalesce(length(t.`affected_files`),0)+coalesce(length(t.`suggested_prompt`),0)+coalesce(length(t.`metadata`),0)+length(t.`status`)+length(t.`source`)+length(t.`created_at`)+length(t.`updated_at`) AS size,
  '['||
  iif(typeof(t.`id`)='blob','{"blob":"'||hex(t.`id`)||'"}',json_quote(t.`id`))||','||
  iif(typeof(t.`workspace_id`)='blob','{"blob":"'||hex(t.`workspace_id`)||'"}',json_quote(t.`workspace_id`))||','||
  iif(typeof(t.`project_id`)='blob','{"blob":"'||hex(t.`project_id`)||'"}',json_quote(t.`project_id`))||','||
  iif(typeof(t.`type`)='blob','{"blob":"'||hex(t.`type`)||'"}',json_quote(t.`type`))||','||
  iif(typeof(t.`severity`)='blob','{"blob":"'||hex(t.`severity`)||'"}',json_quote(t.`severity`))||','||
  iif(typeof(t.`title`)='blob','{"blob":"'||hex(t.`title`)||'"}',json_quote(t.`title`))||','||
  iif(typeof(t.`description`)='blob','{"blob":"'||hex(t.`description`)||'"}',json_quote(t.`description`))||','||
  iif(typeof(t.`affected_files`)='blob','{"blob":"'||hex(t.`affected_files`)||'"}',json_quote(t.`affected_files`))||','||
  iif(typeof(t.`suggested_prompt`)='blob','{"blob":"'||hex(t.`suggested_prompt`)||'"}',json_quote(t.`suggested_prompt`))||','||
  iif(typeof(t.`metadata`)='blob','{"blob":"'||hex(t.`metadata`)||'"}',json_quote(t.`metadata`))||','||
  iif(typeof(t.`status`)='blob','{"blob":"'||hex(t.`status`)||'"}',json_quote(t.`status`))||','||
  iif(typeof(t.`source`)='blob','{"blob":"'||hex(t.`source`)||'"}',json_quote(t.`source`))||','||
  iif(typeof(t.`created_at`)='blob','{"blob":"'||hex(t.`created_at`)||'"}',json_quote(t.`created_at`))||','||
  iif(typeof(t.`updated_at`)='blob','{"blob":"'||hex(t.`updated_at`)||'"}',json_quote(t.`updated_at`))||']' AS row_c2dabc95
FROM `action_items` AS t;
--> statement-breakpoint
CREATE VIEW `fastest_row_action_item_runs` AS SELECT t.`id` AS pk,
  20+length(t.`id`)+length(t.`action_item_id`)+length(t.`workspace_id`)+length(t.`project_id`)+length(t.`status`)+coalesce(length(t.`base_manifest_hash`),0)+coalesce(length(t.`summary`),0)+coalesce(length(t.`report`),0)+coalesce(length(t.`patch`),0)+coalesce(length(t.`checks`),0)+coalesce(length(t.`error`),0)+coalesce(length(t.`started_at`),0)+coalesce(length(t.`completed_at`),0)+length(t.`created_at`)+length(t.`updated_at`) AS size,
  '['||
  iif(typeof(t.`id`)='blob','{"blob":"'||hex(t.`id`)||'"}',json_quote(t.`id`))||','||
  iif(typeof(t.`action_item_id`)='blob','{"blob":"'||hex(t.`action_item_id`)||'"}',json_quote(t.`action_item_id`))||','||
  iif(typeof(t.`workspace_id`)='blob','{"blob":"'||hex(t.`workspace_id`)||'"}',json_quote(t.`workspace_id`))||','||
  iif(typeof(t.`project_id`)='blob','{"blob":"'||hex(t.`project_id`)||'"}',json_quote(t.`project_id`))||','||
  iif(typeof(t.`status`)='blob','{"blob":"'||hex(t.`status`)||'"}',json_quote(t.`status`))||','||
  CASE typeof(t.`attempt_count`) WHEN 'real' THEN '["real",'||json_quote(CAST(t.`attempt_count` AS TEXT))||']' WHEN 'blob' THEN '{"blob":"'||hex(t.`attempt_count`)||'"}' ELSE json_quote(t.`attempt_count`) END ||','||
  CASE typeof(t.`max_attempts`) WHEN 'real' THEN '["real",'||json_quote(CAST(t.`max_attempts` AS TEXT))||']' WHEN 'blob' THEN '{"blob":"'||hex(t.`max_attempts`)||'"}' ELSE json_quote(t.`max_attempts`) END ||','||
  iif(typeof(t.`base_manifest_hash`)='blob','{"blob":"'||hex(t.`base_manifest_hash`)||'"}',json_quote(t.`base_manifest_hash`))||','||
  iif(typeof(t.`summary`)='blob','{"blob":"'||hex(t.`summary`)||'"}',json_quote(t.`summary`))||','||
  iif(typeof(t.`report`)='blob','{"blob":"'||hex(t.`report`)||'"}',json_quote(t.`report`))||','||
  iif(typeof(t.`patch`)='blob','{"blob":"'||hex(t.`patch`)||'"}',json_quote(t.`patch`))||','||
  iif(typeof(t.`checks`)='blob','{"blob":"'||hex(t.`checks`)||'"}',json_quote(t.`checks`))||','||
  iif(typeof(t.`error`)='blob','{"blob":"'||hex(t.`error`)||'"}',json_quote(t.`error`))||','||
  iif(typeof(t.`started_at`)='blob','{"blob":"'||hex(t.`started_at`)||'"}',json_quote(t.`started_at`))||','||
  iif(typeof(t.`completed_at`)='blob','{"blob":"'||hex(t.`completed_at`)||'"}',json_quote(t.`completed_at`))||','||
  iif(typeof(t.`created_at`)='blob','{"blob":"'||hex(t.`created_at`)||'"}',json_quote(t.`created_at`))||','||
  iif(typeof(t.`updated_at`)='blob','{"blob":"'||hex(t.`updated_at`)||'"}',json_quote(t.`updated_at`))||']' AS row_45f63c93
FROM `action_item_runs` AS t;
--> statement-breakpoint
CREATE VIEW `fastest_row_atlas_concepts` AS SELECT t.`id` AS pk,
  0+length(t.`id`)+length(t.`project_id`)+length(t.`name`)+length(t.`layer`)+coalesce(length(t.`type`),0)+coalesce(length(t.`description`),0)+coalesce(length(t.`source_snapshot_id`),0)+coalesce(length(t.`source_manifest_hash`),0)+coalesce(length(t.`metadata`),0)+length(t.`created_at`)+length(t.`updated_at`) AS size,
  '['||
  iif(typeof(t.`id`)='blob','{"blob":"'||hex(t.`id`)||'"}',json_quote(t.`id`))||','||
  iif(typeof(t.`project_id`)='blob','{"blob":"'||hex(t.`project_id`)||'"}',json_quote(t.`project_id`))||','||
  iif(typeof(t.`name`)='blob','{"blob":"'||hex(t.`name`)||'"}',json_quote(t.`name`))||','||
  iif(typeof(t.`layer`)='blob','{"blob":"'||hex(t.`layer`)||'"}',json_quote(t.`layer`))||','||
  iif(typeof(t.`type`)='blob','{"blob":"'||hex(t.`type`)||'"}',json_quote(t.`type`))||','||
  iif(typeof(t.`description`)='blob','{"blob":"'||hex(t.`description`)||'"}',json_quote(t.`description`))||','||
  iif(typeof(t.`source_snapshot_id`)='blob','{"blob":"'||hex(t.`source_snapshot_id`)||'"}',json_quote(t.`source_snapshot_id`))||','||
  iif(typeof(t.`source_manifest_hash`)='blob','{"blob":"'||hex(t.`source_manifest_hash`)||'"}',json_quote(t.`source_manifest_hash`))||','||
  iif(typeof(t.`metadata`)='blob','{"blob":"'||hex(t.`metadata`)||'"}',json_quote(t.`metadata`))||','||
  iif(typeof(t.`created_at`)='blob','{"blob":"'||hex(t.`created_at`)||'"}',json_quote(t.`created_at`))||','||
  iif(typeof(t.`updated_at`)='blob','{"blob":"'||hex(t.`updated_at`)||'"}',json_quote(t.`updated_at`))||']' AS row_15293890
FROM `atlas_concepts` AS t;
--> statement-breakpoint
CREATE VIEW `fastest_row_atlas_edges` AS SELECT t.`id` AS pk,
  10+length(t.`id`)+length(t.`project_id`)+length(t.`from_concept_id`)+length(t.`to_concept_id`)+length(t.`type`)+length(t.`created_at`) AS size,
  '['||
  iif(typeof(t.`id`)='blob','{"blob":"'||hex(t.`id`)||'"}',json_quote(t.`id`))||','||
  iif(typeof(t.`project_id`)='blob','{"blob":"'||hex(t.`project_id`)||'"}',json_quote(t.`project_id`))||','||
  iif(typeof(t.`from_concept_id`)='blob','{"blob":"'||hex(t.`from_concept_id`)||'"}',json_quote(t.`from_concept_id`))||','||
  iif(typeof(t.`to_concept_id`)='blob','{"blob":"'||hex(t.`to_concept_id`)||'"}',json_quote(t.`to_concept_id`))||','||
  iif(typeof(t.`type`)='blob','{"blob":"'||hex(t.`type`)||'"}',json_quote(t.`type`))||','||
  CASE typeof(t.`weight`) WHEN 'real' THEN '["real",'||json_quote(CAST(t.`weight` AS TEXT))||']' WHEN 'blob' THEN '{"blob":"'||hex(t.`weight`)||'"}' ELSE json_quote(t.`weight`) END ||','||
  iif(typeof(t.`created_at`)='blob','{"blob":"'||hex(t.`created_at`)||'"}',json_quote(t.`created_at`))||']' AS row_bd16ba33
FROM `atlas_edges` AS t;
--> statement-breakpoint
CREATE VIEW `fastest_row_atlas_chunks` AS SELECT t.`id` AS pk,
  0+length(t.`id`)+length(t.`project_id`)+coalesce(length(t.`concept_id`),0)+length(t.`kind`)+length(t.`content`)+coalesce(length(t.`file_path`),0)+coalesce(length(t.`symbol`),0)+coalesce(length(t.`source_hash`),0)+length(t.`created_at`) AS size,
  '['||
  iif(typeof(t.`id`)='blob','{"blob":"'||hex(t.`id`)||'"}',json_quote(t.`id`))||','||
  iif(typeof(t.`project_id`)='blob','{"blob":"'||hex(t.`project_id`)||'"}',json_quote(t.`project_id`))||','||
  iif(typeof(t.`concept_id`)='blob','{"blob":"'||hex(t.`concept_id`)||'"}',json_quote(t.`concept_id`))||','||
  iif(typeof(t.`kind`)='blob','{"blob":"'||hex(t.`kind`)||'"}',json_quote(t.`kind`))||','||
  iif(typeof(t.`content`)='blob','{"blob":"'||hex(t.`content`)||'"}',json_quote(t.`content`))||','||
  iif(typeof(t.`file_path`)='blob','{"blob":"'||hex(t.`file_path`)||'"}',json_quote(t.`file_path`))||','||
  iif(typeof(t.`symbol`)='blob','{"blob":"'||hex(t.`symbol`)||'"}',json_quote(t.`symbol`))||','||
  iif(typeof(t.`source_hash`)='blob','{"blob":"'||hex(t.`source_hash`)||'"}',json_quote(t.`source_hash`))||','||
  iif(typeof(t.`created_at`)='blob','{"blob":"'||hex(t.`created_at`)||'"}',json_quote(t.`created_at`))||']' AS row_4c93e572
FROM `atlas_chunks` AS t;
--> statement-breakpoint
CREATE VIEW `fastest_row_atlas_embeddings` AS SELECT t.`id` AS pk,
  0+length(t.`id`)+length(t.`chunk_id`)+length(t.`model`)+length(t.`vector`)+length(t.`created_at`) AS size,
  '['||
  iif(typeof(t.`id`)='blob','{"blob":"'||hex(t.`id`)||'"}',json_quote(t.`id`))||','||
  iif(typeof(t.`chunk_id`)='blob','{"blob":"'||hex(t.`chunk_id`)||'"}',json_quote(t.`chunk_id`))||','||
  iif(typeof(t.`model`)='blob','{"blob":"'||hex(t.`model`)||'"}',json_quote(t.`model`))||','||
  iif(typeof(t.`vector`)='blob','{"blob":"'||hex(t.`vector`)||'"}',json_quote(t.`vector`))||','||
  iif(typeof(t.`created_at`)='blob','{"blob":"'||hex(t.`created_at`)||'"}',json_quote(t.`created_at`))||']' AS row_8906b5b9
FROM `atlas_embeddings` AS t;
--> statement-breakpoint
CREATE VIEW `fastest_row_atlas_decision_links` AS SELECT t.`id` AS pk,
  10+length(t.`id`)+length(t.`project_id`)+length(t.`decision_id`)+length(t.`concept_id`)+length(t.`created_at`) AS size,
  '['||
  iif(typeof(t.`id`)='blob','{"blob":"'||hex(t.`id`)||'"}',json_quote(t.`id`))||','||
  iif(typeof(t.`project_id`)='blob','{"blob":"'||hex(t.`project_id`)||'"}',json_quote(t.`project_id`))||','||
  iif(typeof(t.`decision_id`)='blob','{"blob":"'||hex(t.`decision_id`)||'"}',json_quote(t.`decision_id`))||','||
  iif(typeof(t.`concept_id`)='blob','{"blob":"'||hex(t.`concept_id`)||'"}',json_quote(t.`concept_id`))||','||
  CASE typeof(t.`confidence`) WHEN 'real' THEN '["real",'||json_quote(CAST(t.`confidence` AS TEXT))||']' WHEN 'blob' THEN '{"blob":"'||hex(t.`confidence`)||'"}' ELSE json_quote(t.`confidence`) END ||','||
  iif(typeof(t.`created_at`)='blob','{"blob":"'||hex(t.`created_at`)||'"}',json_quote(t.`created_at`))||']' AS row_70fb290f
FROM `atlas_decision_links` AS t;
--> statement-breakpoint
CREATE VIEW `fastest_row_atlas_diagrams` AS SELECT t.`id` AS pk,
  0+length(t.`id`)+length(t.`project_id`)+coalesce(length(t.`concept_id`),0)+length(t.`type`)+length(t.`data`)+length(t.`created_at`) AS size,
  '['||
  iif(typeof(t.`id`)='blob','{"blob":"'||hex(t.`id`)||'"}',json_quote(t.`id`))||','||
  iif(typeof(t.`project_id`)='blob','{"blob":"'||hex(t.`project_id`)||'"}',json_quote(t.`project_id`))||','||
  iif(typeof(t.`concept_id`)='blob','{"blob":"'||hex(t.`concept_id`)||'"}',json_quote(t.`concept_id`))||','||
  iif(typeof(t.`type`)='blob','{"blob":"'||hex(t.`type`)||'"}',json_quote(t.`type`))||','||
  iif(typeof(t.`data`)='blob','{"blob":"'||hex(t.`data`)||'"}',json_quote(t.`data`))||','||
  iif(typeof(t.`created_at`)='blob','{"blob":"'||hex(t.`created_at`)||'"}',json_quote(t.`created_at`))||']' AS row_24f0335c
FROM `atlas_diagrams` AS t;
--> statement-breakpoint
CREATE VIEW `fastest_row_deployment_settings` AS SELECT t.`workspace_id` AS pk,
  10+length(t.`workspace_id`)+coalesce(length(t.`runtime_override`),0)+coalesce(length(t.`build_command`),0)+coalesce(length(t.`start_command`),0)+length(t.`created_at`)+length(t.`updated_at`) AS size,
  '['||
  iif(typeof(t.`workspace_id`)='blob','{"blob":"'||hex(t.`workspace_id`)||'"}',json_quote(t.`workspace_id`))||','||
  CASE typeof(t.`auto_deploy`) WHEN 'real' THEN '["real",'||json_quote(CAST(t.`auto_deploy` AS TEXT))||']' WHEN 'blob' THEN '{"blob":"'||hex(t.`auto_deploy`)||'"}' ELSE json_quote(t.`auto_deploy`) END ||','||
  iif(typeof(t.`runtime_override`)='blob','{"blob":"'||hex(t.`runtime_override`)||'"}',json_quote(t.`runtime_override`))||','||
  iif(typeof(t.`build_command`)='blob','{"blob":"'||hex(t.`build_command`)||'"}',json_quote(t.`build_command`))||','||
  iif(typeof(t.`start_command`)='blob','{"blob":"'||hex(t.`start_command`)||'"}',json_quote(t.`start_command`))||','||
  iif(typeof(t.`created_at`)='blob','{"blob":"'||hex(t.`created_at`)||'"}',json_quote(t.`created_at`))||','||
  iif(typeof(t.`updated_at`)='blob','{"blob":"'||hex(t.`updated_at`)||'"}',json_quote(t.`updated_at`))||']' AS row_04116ac6
FROM `deployment_settings` AS t;
--> statement-breakpoint
CREATE VIEW `fastest_row_deployments` AS SELECT t.`id` AS pk,
  0+length(t.`id`)+coalesce(length(t.`workspace_id`),0)+length(t.`project_id`)+coalesce(length(t.`snapshot_id`),0)+length(t.`status`)+length(t.`trigger`)+coalesce(length(t.`url`),0)+coalesce(length(t.`error`),0)+length(t.`started_at`)+coalesce(length(t.`completed_at`),0) AS size,
  '['||
  iif(typeof(t.`id`)='blob','{"blob":"'||hex(t.`id`)||'"}',json_quote(t.`id`))||','||
  iif(typeof(t.`workspace_id`)='blob','{"blob":"'||hex(t.`workspace_id`)||'"}',json_quote(t.`workspace_id`))||','||
  iif(typeof(t.`project_id`)='blob','{"blob":"'||hex(t.`project_id`)||'"}',json_quote(t.`project_id`))||','||
  iif(typeof(t.`snapshot_id`)='blob','{"blob":"'||hex(t.`snapshot_id`)||'"}',json_quote(t.`snapshot_id`))||','||
  iif(typeof(t.`status`)='blob','{"blob":"'||hex(t.`status`)||'"}',json_quote(t.`status`))||','||
  iif(typeof(t.`trigger`)='blob','{"blob":"'||hex(t.`trigger`)||'"}',json_quote(t.`trigger`))||','||
  iif(typeof(t.`url`)='blob','{"blob":"'||hex(t.`url`)||'"}',json_quote(t.`url`))||','||
  iif(typeof(t.`error`)='blob','{"blob":"'||hex(t.`error`)||'"}',json_quote(t.`error`))||','||
  iif(typeof(t.`started_at`)='blob','{"blob":"'||hex(t.`started_at`)||'"}',json_quote(t.`started_at`))||','||
  iif(typeof(t.`completed_at`)='blob','{"blob":"'||hex(t.`completed_at`)||'"}',json_quote(t.`completed_at`))||']' AS row_1c94727e
FROM `deployments` AS t;
--> statement-breakpoint
CREATE VIEW fastest_push_op AS SELECT NULL AS tbl, NULL AS pk, NULL AS columns, NULL AS patch;
--> statement-breakpoint
CREATE TRIGGER `fastest_push_op_users` INSTEAD OF INSERT ON fastest_push_op WHEN NEW.tbl = 'users' BEGIN
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM json_each(NEW.columns) WHERE key NOT IN ('id','email','name','picture','created_at');
  SELECT RAISE(ABORT, 'fastest:payload_invalid') FROM json_each(NEW.columns)
    WHERE type IN ('array', 'object')
      AND NOT (key IN ('id','email','name','picture','created_at') AND json_type(value, '$.blob') IS NULL)
      OR key = 'id' AND atom IS NOT NEW.pk;
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM fastest_changes WHERE tbl='users' AND pk=NEW.pk AND deleted=0
    AND NEW.patch IS NULL AND NOT EXISTS (SELECT 1 FROM `users` WHERE `id` = NEW.pk);
  UPDATE `users` SET `id`=`id`,`email`=iif(json_type(NEW.columns,'$.email') IS NOT NULL,NEW.columns->>'email',`email`),`name`=iif(json_type(NEW.columns,'$.name') IS NOT NULL,NEW.columns->>'name',`name`),`picture`=iif(json_type(NEW.columns,'$.picture') IS NOT NULL,NEW.columns->>'picture',`picture`),`created_at`=iif(json_type(NEW.columns,'$.created_at') IS NOT NULL,NEW.columns->>'created_at',`created_at`)
    WHERE `id` = NEW.pk AND NEW.columns IS NOT NULL;
  INSERT INTO `users`(`id`,`email`,`name`,`picture`,`created_at`)
    SELECT NEW.pk,NEW.columns->>'email',NEW.columns->>'name',NEW.columns->>'picture',coalesce(NEW.columns->>'created_at',(strftime('%Y-%m-%dT%H:%M:%fZ','now')))
    WHERE NEW.columns IS NOT NULL AND NEW.patch IS NULL AND NOT EXISTS (SELECT 1 FROM `users` WHERE `id` = NEW.pk);
  DELETE FROM `users` WHERE `id` = NEW.pk AND NEW.columns IS NULL;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_push_op_projects` INSTEAD OF INSERT ON fastest_push_op WHEN NEW.tbl = 'projects' BEGIN
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM json_each(NEW.columns) WHERE key NOT IN ('id','owner_user_id','name','intent','brief','created_at','updated_at','last_snapshot_id','main_workspace_id');
  SELECT RAISE(ABORT, 'fastest:payload_invalid') FROM json_each(NEW.columns)
    WHERE type IN ('array', 'object')
      AND NOT (key IN ('id','owner_user_id','name','intent','brief','created_at','updated_at','last_snapshot_id','main_workspace_id') AND json_type(value, '$.blob') IS NULL)
      OR key = 'id' AND atom IS NOT NEW.pk;
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM fastest_changes WHERE tbl='projects' AND pk=NEW.pk AND deleted=0
    AND NEW.patch IS NULL AND NOT EXISTS (SELECT 1 FROM `projects` WHERE `id` = NEW.pk);
  UPDATE `projects` SET `id`=`id`,`owner_user_id`=iif(json_type(NEW.columns,'$.owner_user_id') IS NOT NULL,NEW.columns->>'owner_user_id',`owner_user_id`),`name`=iif(json_type(NEW.columns,'$.name') IS NOT NULL,NEW.columns->>'name',`name`),`intent`=iif(json_type(NEW.columns,'$.intent') IS NOT NULL,NEW.columns->>'intent',`intent`),`brief`=iif(json_type(NEW.columns,'$.brief') IS NOT NULL,NEW.columns->>'brief',`brief`),`created_at`=iif(json_type(NEW.columns,'$.created_at') IS NOT NULL,NEW.columns->>'created_at',`created_at`),`updated_at`=iif(json_type(NEW.columns,'$.updated_at') IS NOT NULL,NEW.columns->>'updated_at',`updated_at`),`last_snapshot_id`=iif(json_type(NEW.columns,'$.last_snapshot_id') IS NOT NULL,NEW.columns->>'last_snapshot_id',`last_snapshot_id`),`main_workspace_id`=iif(json_type(NEW.columns,'$.main_workspace_id') IS NOT NULL,NEW.columns->>'main_workspace_id',`main_workspace_id`)
    WHERE `id` = NEW.pk AND NEW.columns IS NOT NULL;
  INSERT INTO `projects`(`id`,`owner_user_id`,`name`,`intent`,`brief`,`created_at`,`updated_at`,`last_snapshot_id`,`main_workspace_id`)
    SELECT NEW.pk,NEW.columns->>'owner_user_id',NEW.columns->>'name',NEW.columns->>'intent',NEW.columns->>'brief',coalesce(NEW.columns->>'created_at',(strftime('%Y-%m-%dT%H:%M:%fZ','now'))),coalesce(NEW.columns->>'updated_at',(strftime('%Y-%m-%dT%H:%M:%fZ','now'))),NEW.columns->>'last_snapshot_id',NEW.columns->>'main_workspace_id'
    WHERE NEW.columns IS NOT NULL AND NEW.patch IS NULL AND NOT EXISTS (SELECT 1 FROM `projects` WHERE `id` = NEW.pk);
  DELETE FROM `projects` WHERE `id` = NEW.pk AND NEW.columns IS NULL;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_push_op_fastest_packs` INSTEAD OF INSERT ON fastest_push_op WHEN NEW.tbl = 'fastest_packs' BEGIN
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM json_each(NEW.columns) WHERE key NOT IN ('id','project_id','pack_id','part','parts','bytes','objects','data','created_at');
  SELECT RAISE(ABORT, 'fastest:payload_invalid') FROM json_each(NEW.columns)
    WHERE type IN ('array', 'object')
      AND NOT (key IN ('id','project_id','pack_id','data','created_at') AND json_type(value, '$.blob') IS NULL)
      OR key = 'id' AND atom IS NOT NEW.pk;
  INSERT INTO `fastest_packs`(`id`,`project_id`,`pack_id`,`part`,`parts`,`bytes`,`objects`,`data`,`created_at`)
    SELECT NEW.pk,NEW.columns->>'project_id',NEW.columns->>'pack_id',coalesce(NEW.columns->>'part',0),coalesce(NEW.columns->>'parts',1),NEW.columns->>'bytes',NEW.columns->>'objects',NEW.columns->>'data',coalesce(NEW.columns->>'created_at',(strftime('%Y-%m-%dT%H:%M:%fZ','now')))
    WHERE NEW.columns IS NOT NULL AND true ON CONFLICT(`id`) DO NOTHING;
  SELECT RAISE(ABORT, 'fastest:swallowed') WHERE NEW.columns IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM `fastest_packs` WHERE `id` = NEW.pk)
    AND NOT EXISTS (SELECT 1 FROM fastest_changes WHERE tbl = 'fastest_packs' AND pk = NEW.pk);
  DELETE FROM `fastest_packs` WHERE `id` = NEW.pk AND NEW.columns IS NULL;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_push_op_snapshots` INSTEAD OF INSERT ON fastest_push_op WHEN NEW.tbl = 'snapshots' BEGIN
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM json_each(NEW.columns) WHERE key NOT IN ('id','project_id','workspace_id','manifest_hash','parent_snapshot_ids','source','summary','created_at');
  SELECT RAISE(ABORT, 'fastest:payload_invalid') FROM json_each(NEW.columns)
    WHERE type IN ('array', 'object')
      AND NOT (key IN ('id','project_id','workspace_id','manifest_hash','parent_snapshot_ids','source','summary','created_at') AND json_type(value, '$.blob') IS NULL)
      OR key = 'id' AND atom IS NOT NEW.pk;
  INSERT INTO `snapshots`(`id`,`project_id`,`workspace_id`,`manifest_hash`,`parent_snapshot_ids`,`source`,`summary`,`created_at`)
    SELECT NEW.pk,NEW.columns->>'project_id',NEW.columns->>'workspace_id',NEW.columns->>'manifest_hash',coalesce(NEW.columns->>'parent_snapshot_ids','[]'),coalesce(NEW.columns->>'source','cli'),NEW.columns->>'summary',coalesce(NEW.columns->>'created_at',(strftime('%Y-%m-%dT%H:%M:%fZ','now')))
    WHERE NEW.columns IS NOT NULL AND true ON CONFLICT(`id`) DO NOTHING;
  SELECT RAISE(ABORT, 'fastest:swallowed') WHERE NEW.columns IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM `snapshots` WHERE `id` = NEW.pk)
    AND NOT EXISTS (SELECT 1 FROM fastest_changes WHERE tbl = 'snapshots' AND pk = NEW.pk);
  DELETE FROM `snapshots` WHERE `id` = NEW.pk AND NEW.columns IS NULL;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_push_op_workspaces` INSTEAD OF INSERT ON fastest_push_op WHEN NEW.tbl = 'workspaces' BEGIN
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM json_each(NEW.columns) WHERE key NOT IN ('id','project_id','name','machine_id','base_snapshot_id','current_snapshot_id','current_manifest_hash','local_path','last_seen_at','created_at','version','merge_history');
  SELECT RAISE(ABORT, 'fastest:payload_invalid') FROM json_each(NEW.columns)
    WHERE type IN ('array', 'object')
      AND NOT (key IN ('id','project_id','name','machine_id','base_snapshot_id','current_snapshot_id','current_manifest_hash','local_path','last_seen_at','created_at','merge_history') AND json_type(value, '$.blob') IS NULL)
      OR key = 'id' AND atom IS NOT NEW.pk;
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM fastest_changes WHERE tbl='workspaces' AND pk=NEW.pk AND deleted=0
    AND NEW.patch IS NULL AND NOT EXISTS (SELECT 1 FROM `workspaces` WHERE `id` = NEW.pk);
  UPDATE `workspaces` SET `id`=`id`,`project_id`=iif(json_type(NEW.columns,'$.project_id') IS NOT NULL,NEW.columns->>'project_id',`project_id`),`name`=iif(json_type(NEW.columns,'$.name') IS NOT NULL,NEW.columns->>'name',`name`),`machine_id`=iif(json_type(NEW.columns,'$.machine_id') IS NOT NULL,NEW.columns->>'machine_id',`machine_id`),`base_snapshot_id`=iif(json_type(NEW.columns,'$.base_snapshot_id') IS NOT NULL,NEW.columns->>'base_snapshot_id',`base_snapshot_id`),`current_snapshot_id`=iif(json_type(NEW.columns,'$.current_snapshot_id') IS NOT NULL,NEW.columns->>'current_snapshot_id',`current_snapshot_id`),`current_manifest_hash`=iif(json_type(NEW.columns,'$.current_manifest_hash') IS NOT NULL,NEW.columns->>'current_manifest_hash',`current_manifest_hash`),`local_path`=iif(json_type(NEW.columns,'$.local_path') IS NOT NULL,NEW.columns->>'local_path',`local_path`),`last_seen_at`=iif(json_type(NEW.columns,'$.last_seen_at') IS NOT NULL,NEW.columns->>'last_seen_at',`last_seen_at`),`created_at`=iif(json_type(NEW.columns,'$.created_at') IS NOT NULL,NEW.columns->>'created_at',`created_at`),`merge_history`=iif(json_type(NEW.columns,'$.merge_history') IS NOT NULL,NEW.columns->>'merge_history',`merge_history`),`version`=`version`+1
    WHERE `id` = NEW.pk AND NEW.columns IS NOT NULL;
  INSERT INTO `workspaces`(`id`,`project_id`,`name`,`machine_id`,`base_snapshot_id`,`current_snapshot_id`,`current_manifest_hash`,`local_path`,`last_seen_at`,`created_at`,`version`,`merge_history`)
    SELECT NEW.pk,NEW.columns->>'project_id',NEW.columns->>'name',NEW.columns->>'machine_id',NEW.columns->>'base_snapshot_id',NEW.columns->>'current_snapshot_id',NEW.columns->>'current_manifest_hash',NEW.columns->>'local_path',NEW.columns->>'last_seen_at',coalesce(NEW.columns->>'created_at',(strftime('%Y-%m-%dT%H:%M:%fZ','now'))),coalesce((SELECT version FROM fastest_changes WHERE tbl='workspaces' AND pk=NEW.pk),0)+1,NEW.columns->>'merge_history'
    WHERE NEW.columns IS NOT NULL AND NEW.patch IS NULL AND NOT EXISTS (SELECT 1 FROM `workspaces` WHERE `id` = NEW.pk);
  DELETE FROM `workspaces` WHERE `id` = NEW.pk AND NEW.columns IS NULL;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_push_op_drift_reports` INSTEAD OF INSERT ON fastest_push_op WHEN NEW.tbl = 'drift_reports' BEGIN
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM json_each(NEW.columns) WHERE key NOT IN ('id','workspace_id','source_workspace_id','workspace_snapshot_id','source_snapshot_id','source_only','workspace_only','both_same','both_different','files_added','files_modified','files_deleted','bytes_changed','summary','reported_at');
  SELECT RAISE(ABORT, 'fastest:payload_invalid') FROM json_each(NEW.columns)
    WHERE type IN ('array', 'object')
      AND NOT (key IN ('id','workspace_id','source_workspace_id','workspace_snapshot_id','source_snapshot_id','source_only','workspace_only','both_same','both_different','summary','reported_at') AND json_type(value, '$.blob') IS NULL)
      OR key = 'id' AND atom IS NOT NEW.pk;
  INSERT INTO `drift_reports`(`id`,`workspace_id`,`source_workspace_id`,`workspace_snapshot_id`,`source_snapshot_id`,`source_only`,`workspace_only`,`both_same`,`both_different`,`files_added`,`files_modified`,`files_deleted`,`bytes_changed`,`summary`,`reported_at`)
    SELECT NEW.pk,NEW.columns->>'workspace_id',NEW.columns->>'source_workspace_id',NEW.columns->>'workspace_snapshot_id',NEW.columns->>'source_snapshot_id',coalesce(NEW.columns->>'source_only','[]'),coalesce(NEW.columns->>'workspace_only','[]'),coalesce(NEW.columns->>'both_same','[]'),coalesce(NEW.columns->>'both_different','[]'),coalesce(NEW.columns->>'files_added',0),coalesce(NEW.columns->>'files_modified',0),coalesce(NEW.columns->>'files_deleted',0),coalesce(NEW.columns->>'bytes_changed',0),NEW.columns->>'summary',coalesce(NEW.columns->>'reported_at',(strftime('%Y-%m-%dT%H:%M:%fZ','now')))
    WHERE NEW.columns IS NOT NULL AND true ON CONFLICT(`id`) DO NOTHING;
  SELECT RAISE(ABORT, 'fastest:swallowed') WHERE NEW.columns IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM `drift_reports` WHERE `id` = NEW.pk)
    AND NOT EXISTS (SELECT 1 FROM fastest_changes WHERE tbl = 'drift_reports' AND pk = NEW.pk);
  DELETE FROM `drift_reports` WHERE `id` = NEW.pk AND NEW.columns IS NULL;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_push_op_activity_events` INSTEAD OF INSERT ON fastest_push_op WHEN NEW.tbl = 'activity_events' BEGIN
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM json_each(NEW.columns) WHERE key NOT IN ('id','project_id','workspace_id','actor','type','snapshot_id','message','created_at');
  SELECT RAISE(ABORT, 'fastest:payload_invalid') FROM json_each(NEW.columns)
    WHERE type IN ('array', 'object')
      AND NOT (key IN ('id','project_id','workspace_id','actor','type','snapshot_id','message','created_at') AND json_type(value, '$.blob') IS NULL)
      OR key = 'id' AND atom IS NOT NEW.pk;
  INSERT INTO `activity_events`(`id`,`project_id`,`workspace_id`,`actor`,`type`,`snapshot_id`,`message`,`created_at`)
    SELECT NEW.pk,NEW.columns->>'project_id',NEW.columns->>'workspace_id',NEW.columns->>'actor',NEW.columns->>'type',NEW.columns->>'snapshot_id',NEW.columns->>'message',coalesce(NEW.columns->>'created_at',(strftime('%Y-%m-%dT%H:%M:%fZ','now')))
    WHERE NEW.columns IS NOT NULL AND true ON CONFLICT(`id`) DO NOTHING;
  SELECT RAISE(ABORT, 'fastest:swallowed') WHERE NEW.columns IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM `activity_events` WHERE `id` = NEW.pk)
    AND NOT EXISTS (SELECT 1 FROM fastest_changes WHERE tbl = 'activity_events' AND pk = NEW.pk);
  DELETE FROM `activity_events` WHERE `id` = NEW.pk AND NEW.columns IS NULL;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_push_op_conversations` INSTEAD OF INSERT ON fastest_push_op WHEN NEW.tbl = 'conversations' BEGIN
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM json_each(NEW.columns) WHERE key NOT IN ('id','workspace_id','title','created_at','updated_at');
  SELECT RAISE(ABORT, 'fastest:payload_invalid') FROM json_each(NEW.columns)
    WHERE type IN ('array', 'object')
      AND NOT (key IN ('id','workspace_id','title','created_at','updated_at') AND json_type(value, '$.blob') IS NULL)
      OR key = 'id' AND atom IS NOT NEW.pk;
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM fastest_changes WHERE tbl='conversations' AND pk=NEW.pk AND deleted=0
    AND NEW.patch IS NULL AND NOT EXISTS (SELECT 1 FROM `conversations` WHERE `id` = NEW.pk);
  UPDATE `conversations` SET `id`=`id`,`workspace_id`=iif(json_type(NEW.columns,'$.workspace_id') IS NOT NULL,NEW.columns->>'workspace_id',`workspace_id`),`title`=iif(json_type(NEW.columns,'$.title') IS NOT NULL,NEW.columns->>'title',`title`),`created_at`=iif(json_type(NEW.columns,'$.created_at') IS NOT NULL,NEW.columns->>'created_at',`created_at`),`updated_at`=iif(json_type(NEW.columns,'$.updated_at') IS NOT NULL,NEW.columns->>'updated_at',`updated_at`)
    WHERE `id` = NEW.pk AND NEW.columns IS NOT NULL;
  INSERT INTO `conversations`(`id`,`workspace_id`,`title`,`created_at`,`updated_at`)
    SELECT NEW.pk,NEW.columns->>'workspace_id',NEW.columns->>'title',coalesce(NEW.columns->>'created_at',(strftime('%Y-%m-%dT%H:%M:%fZ','now'))),coalesce(NEW.columns->>'updated_at',(strftime('%Y-%m-%dT%H:%M:%fZ','now')))
    WHERE NEW.columns IS NOT NULL AND NEW.patch IS NULL AND NOT EXISTS (SELECT 1 FROM `conversations` WHERE `id` = NEW.pk);
  DELETE FROM `conversations` WHERE `id` = NEW.pk AND NEW.columns IS NULL;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_push_op_next_steps` INSTEAD OF INSERT ON fastest_push_op WHEN NEW.tbl = 'next_steps' BEGIN
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM json_each(NEW.columns) WHERE key NOT IN ('id','project_id','title','description','rationale','category','priority','effort','status','helpful_count','not_helpful_count','model','generated_at','acted_on_at');
  SELECT RAISE(ABORT, 'fastest:payload_invalid') FROM json_each(NEW.columns)
    WHERE type IN ('array', 'object')
      AND NOT (key IN ('id','project_id','title','description','rationale','category','effort','status','model','generated_at','acted_on_at') AND json_type(value, '$.blob') IS NULL)
      OR key = 'id' AND atom IS NOT NEW.pk;
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM fastest_changes WHERE tbl='next_steps' AND pk=NEW.pk AND deleted=0
    AND NEW.patch IS NULL AND NOT EXISTS (SELECT 1 FROM `next_steps` WHERE `id` = NEW.pk);
  UPDATE `next_steps` SET `id`=`id`,`project_id`=iif(json_type(NEW.columns,'$.project_id') IS NOT NULL,NEW.columns->>'project_id',`project_id`),`title`=iif(json_type(NEW.columns,'$.title') IS NOT NULL,NEW.columns->>'title',`title`),`description`=iif(json_type(NEW.columns,'$.description') IS NOT NULL,NEW.columns->>'description',`description`),`rationale`=iif(json_type(NEW.columns,'$.rationale') IS NOT NULL,NEW.columns->>'rationale',`rationale`),`category`=iif(json_type(NEW.columns,'$.category') IS NOT NULL,NEW.columns->>'category',`category`),`priority`=iif(json_type(NEW.columns,'$.priority') IS NOT NULL,NEW.columns->>'priority',`priority`),`effort`=iif(json_type(NEW.columns,'$.effort') IS NOT NULL,NEW.columns->>'effort',`effort`),`status`=iif(json_type(NEW.columns,'$.status') IS NOT NULL,NEW.columns->>'status',`status`),`helpful_count`=iif(json_type(NEW.columns,'$.helpful_count') IS NOT NULL,NEW.columns->>'helpful_count',`helpful_count`),`not_helpful_count`=iif(json_type(NEW.columns,'$.not_helpful_count') IS NOT NULL,NEW.columns->>'not_helpful_count',`not_helpful_count`),`model`=iif(json_type(NEW.columns,'$.model') IS NOT NULL,NEW.columns->>'model',`model`),`generated_at`=iif(json_type(NEW.columns,'$.generated_at') IS NOT NULL,NEW.columns->>'generated_at',`generated_at`),`acted_on_at`=iif(json_type(NEW.columns,'$.acted_on_at') IS NOT NULL,NEW.columns->>'acted_on_at',`acted_on_at`)
    WHERE `id` = NEW.pk AND NEW.columns IS NOT NULL;
  INSERT INTO `next_steps`(`id`,`project_id`,`title`,`description`,`rationale`,`category`,`priority`,`effort`,`status`,`helpful_count`,`not_helpful_count`,`model`,`generated_at`,`acted_on_at`)
    SELECT NEW.pk,NEW.columns->>'project_id',NEW.columns->>'title',NEW.columns->>'description',NEW.columns->>'rationale',NEW.columns->>'category',coalesce(NEW.columns->>'priority',2),NEW.columns->>'effort',coalesce(NEW.columns->>'status','pending'),coalesce(NEW.columns->>'helpful_count',0),coalesce(NEW.columns->>'not_helpful_count',0),NEW.columns->>'model',coalesce(NEW.columns->>'generated_at',(strftime('%Y-%m-%dT%H:%M:%fZ','now'))),NEW.columns->>'acted_on_at'
    WHERE NEW.columns IS NOT NULL AND NEW.patch IS NULL AND NOT EXISTS (SELECT 1 FROM `next_steps` WHERE `id` = NEW.pk);
  DELETE FROM `next_steps` WHERE `id` = NEW.pk AND NEW.columns IS NULL;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_push_op_project_decisions` INSTEAD OF INSERT ON fastest_push_op WHEN NEW.tbl = 'project_decisions' BEGIN
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM json_each(NEW.columns) WHERE key NOT IN ('id','project_id','conversation_id','decision','rationale','category','decided_at');
  SELECT RAISE(ABORT, 'fastest:payload_invalid') FROM json_each(NEW.columns)
    WHERE type IN ('array', 'object')
      AND NOT (key IN ('id','project_id','conversation_id','decision','rationale','category','decided_at') AND json_type(value, '$.blob') IS NULL)
      OR key = 'id' AND atom IS NOT NEW.pk;
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM fastest_changes WHERE tbl='project_decisions' AND pk=NEW.pk AND deleted=0
    AND NEW.patch IS NULL AND NOT EXISTS (SELECT 1 FROM `project_decisions` WHERE `id` = NEW.pk);
  UPDATE `project_decisions` SET `id`=`id`,`project_id`=iif(json_type(NEW.columns,'$.project_id') IS NOT NULL,NEW.columns->>'project_id',`project_id`),`conversation_id`=iif(json_type(NEW.columns,'$.conversation_id') IS NOT NULL,NEW.columns->>'conversation_id',`conversation_id`),`decision`=iif(json_type(NEW.columns,'$.decision') IS NOT NULL,NEW.columns->>'decision',`decision`),`rationale`=iif(json_type(NEW.columns,'$.rationale') IS NOT NULL,NEW.columns->>'rationale',`rationale`),`category`=iif(json_type(NEW.columns,'$.category') IS NOT NULL,NEW.columns->>'category',`category`),`decided_at`=iif(json_type(NEW.columns,'$.decided_at') IS NOT NULL,NEW.columns->>'decided_at',`decided_at`)
    WHERE `id` = NEW.pk AND NEW.columns IS NOT NULL;
  INSERT INTO `project_decisions`(`id`,`project_id`,`conversation_id`,`decision`,`rationale`,`category`,`decided_at`)
    SELECT NEW.pk,NEW.columns->>'project_id',NEW.columns->>'conversation_id',NEW.columns->>'decision',NEW.columns->>'rationale',NEW.columns->>'category',coalesce(NEW.columns->>'decided_at',(strftime('%Y-%m-%dT%H:%M:%fZ','now')))
    WHERE NEW.columns IS NOT NULL AND NEW.patch IS NULL AND NOT EXISTS (SELECT 1 FROM `project_decisions` WHERE `id` = NEW.pk);
  DELETE FROM `project_decisions` WHERE `id` = NEW.pk AND NEW.columns IS NULL;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_push_op_action_items` INSTEAD OF INSERT ON fastest_push_op WHEN NEW.tbl = 'action_items' BEGIN
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM json_each(NEW.columns) WHERE key NOT IN ('id','workspace_id','project_id','type','severity','title','description','affected_files','suggested_prompt','metadata','status','source','created_at','updated_at');
  SELECT RAISE(ABORT, 'fastest:payload_invalid') FROM json_each(NEW.columns)
    WHERE type IN ('array', 'object')
      AND NOT (key IN ('id','workspace_id','project_id','type','severity','title','description','affected_files','suggested_prompt','metadata','status','source','created_at','updated_at') AND json_type(value, '$.blob') IS NULL)
      OR key = 'id' AND atom IS NOT NEW.pk;
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM fastest_changes WHERE tbl='action_items' AND pk=NEW.pk AND deleted=0
    AND NEW.patch IS NULL AND NOT EXISTS (SELECT 1 FROM `action_items` WHERE `id` = NEW.pk);
  UPDATE `action_items` SET `id`=`id`,`workspace_id`=iif(json_type(NEW.columns,'$.workspace_id') IS NOT NULL,NEW.columns->>'workspace_id',`workspace_id`),`project_id`=iif(json_type(NEW.columns,'$.project_id') IS NOT NULL,NEW.columns->>'project_id',`project_id`),`type`=iif(json_type(NEW.columns,'$.type') IS NOT NULL,NEW.columns->>'type',`type`),`severity`=iif(json_type(NEW.columns,'$.severity') IS NOT NULL,NEW.columns->>'severity',`severity`),`title`=iif(json_type(NEW.columns,'$.title') IS NOT NULL,NEW.columns->>'title',`title`),`description`=iif(json_type(NEW.columns,'$.description') IS NOT NULL,NEW.columns->>'description',`description`),`affected_files`=iif(json_type(NEW.columns,'$.affected_files') IS NOT NULL,NEW.columns->>'affected_files',`affected_files`),`suggested_prompt`=iif(json_type(NEW.columns,'$.suggested_prompt') IS NOT NULL,NEW.columns->>'suggested_prompt',`suggested_prompt`),`metadata`=iif(json_type(NEW.columns,'$.metadata') IS NOT NULL,NEW.columns->>'metadata',`metadata`),`status`=iif(json_type(NEW.columns,'$.status') IS NOT NULL,NEW.columns->>'status',`status`),`source`=iif(json_type(NEW.columns,'$.source') IS NOT NULL,NEW.columns->>'source',`source`),`created_at`=iif(json_type(NEW.columns,'$.created_at') IS NOT NULL,NEW.columns->>'created_at',`created_at`),`updated_at`=iif(json_type(NEW.columns,'$.updated_at') IS NOT NULL,NEW.columns->>'updated_at',`updated_at`)
    WHERE `id` = NEW.pk AND NEW.columns IS NOT NULL;
  INSERT INTO `action_items`(`id`,`workspace_id`,`project_id`,`type`,`severity`,`title`,`description`,`affected_files`,`suggested_prompt`,`metadata`,`status`,`source`,`created_at`,`updated_at`)
    SELECT NEW.pk,NEW.columns->>'workspace_id',NEW.columns->>'project_id',NEW.columns->>'type',coalesce(NEW.columns->>'severity','info'),NEW.columns->>'title',NEW.columns->>'description',NEW.columns->>'affected_files',NEW.columns->>'suggested_prompt',NEW.columns->>'metadata',coalesce(NEW.columns->>'status','pending'),coalesce(NEW.columns->>'source','analysis'),coalesce(NEW.columns->>'created_at',(strftime('%Y-%m-%dT%H:%M:%fZ','now'))),coalesce(NEW.columns->>'updated_at',(strftime('%Y-%m-%dT%H:%M:%fZ','now')))
    WHERE NEW.columns IS NOT NULL AND NEW.patch IS NULL AND NOT EXISTS (SELECT 1 FROM `action_items` WHERE `id` = NEW.pk);
  DELETE FROM `action_items` WHERE `id` = NEW.pk AND NEW.columns IS NULL;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_push_op_action_item_runs` INSTEAD OF INSERT ON fastest_push_op WHEN NEW.tbl = 'action_item_runs' BEGIN
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM json_each(NEW.columns) WHERE key NOT IN ('id','action_item_id','workspace_id','project_id','status','attempt_count','max_attempts','base_manifest_hash','summary','report','patch','checks','error','started_at','completed_at','created_at','updated_at');
  SELECT RAISE(ABORT, 'fastest:payload_invalid') FROM json_each(NEW.columns)
    WHERE type IN ('array', 'object')
      AND NOT (key IN ('id','action_item_id','workspace_id','project_id','status','base_manifest_hash','summary','report','patch','checks','error','started_at','completed_at','created_at','updated_at') AND json_type(value, '$.blob') IS NULL)
      OR key = 'id' AND atom IS NOT NEW.pk;
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM fastest_changes WHERE tbl='action_item_runs' AND pk=NEW.pk AND deleted=0
    AND NEW.patch IS NULL AND NOT EXISTS (SELECT 1 FROM `action_item_runs` WHERE `id` = NEW.pk);
  UPDATE `action_item_runs` SET `id`=`id`,`action_item_id`=iif(json_type(NEW.columns,'$.action_item_id') IS NOT NULL,NEW.columns->>'action_item_id',`action_item_id`),`workspace_id`=iif(json_type(NEW.columns,'$.workspace_id') IS NOT NULL,NEW.columns->>'workspace_id',`workspace_id`),`project_id`=iif(json_type(NEW.columns,'$.project_id') IS NOT NULL,NEW.columns->>'project_id',`project_id`),`status`=iif(json_type(NEW.columns,'$.status') IS NOT NULL,NEW.columns->>'status',`status`),`attempt_count`=iif(json_type(NEW.columns,'$.attempt_count') IS NOT NULL,NEW.columns->>'attempt_count',`attempt_count`),`max_attempts`=iif(json_type(NEW.columns,'$.max_attempts') IS NOT NULL,NEW.columns->>'max_attempts',`max_attempts`),`base_manifest_hash`=iif(json_type(NEW.columns,'$.base_manifest_hash') IS NOT NULL,NEW.columns->>'base_manifest_hash',`base_manifest_hash`),`summary`=iif(json_type(NEW.columns,'$.summary') IS NOT NULL,NEW.columns->>'summary',`summary`),`report`=iif(json_type(NEW.columns,'$.report') IS NOT NULL,NEW.columns->>'report',`report`),`patch`=iif(json_type(NEW.columns,'$.patch') IS NOT NULL,NEW.columns->>'patch',`patch`),`checks`=iif(json_type(NEW.columns,'$.checks') IS NOT NULL,NEW.columns->>'checks',`checks`),`error`=iif(json_type(NEW.columns,'$.error') IS NOT NULL,NEW.columns->>'error',`error`),`started_at`=iif(json_type(NEW.columns,'$.started_at') IS NOT NULL,NEW.columns->>'started_at',`started_at`),`completed_at`=iif(json_type(NEW.columns,'$.completed_at') IS NOT NULL,NEW.columns->>'completed_at',`completed_at`),`created_at`=iif(json_type(NEW.columns,'$.created_at') IS NOT NULL,NEW.columns->>'created_at',`created_at`),`updated_at`=iif(json_type(NEW.columns,'$.updated_at') IS NOT NULL,NEW.columns->>'updated_at',`updated_at`)
    WHERE `id` = NEW.pk AND NEW.columns IS NOT NULL;
  INSERT INTO `action_item_runs`(`id`,`action_item_id`,`workspace_id`,`project_id`,`status`,`attempt_count`,`max_attempts`,`base_manifest_hash`,`summary`,`report`,`patch`,`checks`,`error`,`started_at`,`completed_at`,`created_at`,`updated_at`)
    SELECT NEW.pk,NEW.columns->>'action_item_id',NEW.columns->>'workspace_id',NEW.columns->>'project_id',coalesce(NEW.columns->>'status','queued'),coalesce(NEW.columns->>'attempt_count',0),coalesce(NEW.columns->>'max_attempts',3),NEW.columns->>'base_manifest_hash',NEW.columns->>'summary',NEW.columns->>'report',NEW.columns->>'patch',NEW.columns->>'checks',NEW.columns->>'error',NEW.columns->>'started_at',NEW.columns->>'completed_at',coalesce(NEW.columns->>'created_at',(strftime('%Y-%m-%dT%H:%M:%fZ','now'))),coalesce(NEW.columns->>'updated_at',(strftime('%Y-%m-%dT%H:%M:%fZ','now')))
    WHERE NEW.columns IS NOT NULL AND NEW.patch IS NULL AND NOT EXISTS (SELECT 1 FROM `action_item_runs` WHERE `id` = NEW.pk);
  DELETE FROM `action_item_runs` WHERE `id` = NEW.pk AND NEW.columns IS NULL;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_push_op_atlas_concepts` INSTEAD OF INSERT ON fastest_push_op WHEN NEW.tbl = 'atlas_concepts' BEGIN
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM json_each(NEW.columns) WHERE key NOT IN ('id','project_id','name','layer','type','description','source_snapshot_id','source_manifest_hash','metadata','created_at','updated_at');
  SELECT RAISE(ABORT, 'fastest:payload_invalid') FROM json_each(NEW.columns)
    WHERE type IN ('array', 'object')
      AND NOT (key IN ('id','project_id','name','layer','type','description','source_snapshot_id','source_manifest_hash','metadata','created_at','updated_at') AND json_type(value, '$.blob') IS NULL)
      OR key = 'id' AND atom IS NOT NEW.pk;
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM fastest_changes WHERE tbl='atlas_concepts' AND pk=NEW.pk AND deleted=0
    AND NEW.patch IS NULL AND NOT EXISTS (SELECT 1 FROM `atlas_concepts` WHERE `id` = NEW.pk);
  UPDATE `atlas_concepts` SET `id`=`id`,`project_id`=iif(json_type(NEW.columns,'$.project_id') IS NOT NULL,NEW.columns->>'project_id',`project_id`),`name`=iif(json_type(NEW.columns,'$.name') IS NOT NULL,NEW.columns->>'name',`name`),`layer`=iif(json_type(NEW.columns,'$.layer') IS NOT NULL,NEW.columns->>'layer',`layer`),`type`=iif(json_type(NEW.columns,'$.type') IS NOT NULL,NEW.columns->>'type',`type`),`description`=iif(json_type(NEW.columns,'$.description') IS NOT NULL,NEW.columns->>'description',`description`),`source_snapshot_id`=iif(json_type(NEW.columns,'$.source_snapshot_id') IS NOT NULL,NEW.columns->>'source_snapshot_id',`source_snapshot_id`),`source_manifest_hash`=iif(json_type(NEW.columns,'$.source_manifest_hash') IS NOT NULL,NEW.columns->>'source_manifest_hash',`source_manifest_hash`),`metadata`=iif(json_type(NEW.columns,'$.metadata') IS NOT NULL,NEW.columns->>'metadata',`metadata`),`created_at`=iif(json_type(NEW.columns,'$.created_at') IS NOT NULL,NEW.columns->>'created_at',`created_at`),`updated_at`=iif(json_type(NEW.columns,'$.updated_at') IS NOT NULL,NEW.columns->>'updated_at',`updated_at`)
    WHERE `id` = NEW.pk AND NEW.columns IS NOT NULL;
  INSERT INTO `atlas_concepts`(`id`,`project_id`,`name`,`layer`,`type`,`description`,`source_snapshot_id`,`source_manifest_hash`,`metadata`,`created_at`,`updated_at`)
    SELECT NEW.pk,NEW.columns->>'project_id',NEW.columns->>'name',NEW.columns->>'layer',NEW.columns->>'type',NEW.columns->>'description',NEW.columns->>'source_snapshot_id',NEW.columns->>'source_manifest_hash',NEW.columns->>'metadata',coalesce(NEW.columns->>'created_at',(strftime('%Y-%m-%dT%H:%M:%fZ','now'))),coalesce(NEW.columns->>'updated_at',(strftime('%Y-%m-%dT%H:%M:%fZ','now')))
    WHERE NEW.columns IS NOT NULL AND NEW.patch IS NULL AND NOT EXISTS (SELECT 1 FROM `atlas_concepts` WHERE `id` = NEW.pk);
  DELETE FROM `atlas_concepts` WHERE `id` = NEW.pk AND NEW.columns IS NULL;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_push_op_atlas_edges` INSTEAD OF INSERT ON fastest_push_op WHEN NEW.tbl = 'atlas_edges' BEGIN
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM json_each(NEW.columns) WHERE key NOT IN ('id','project_id','from_concept_id','to_concept_id','type','weight','created_at');
  SELECT RAISE(ABORT, 'fastest:payload_invalid') FROM json_each(NEW.columns)
    WHERE type IN ('array', 'object')
      AND NOT (key IN ('id','project_id','from_concept_id','to_concept_id','type','created_at') AND json_type(value, '$.blob') IS NULL)
      OR key = 'id' AND atom IS NOT NEW.pk;
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM fastest_changes WHERE tbl='atlas_edges' AND pk=NEW.pk AND deleted=0
    AND NEW.patch IS NULL AND NOT EXISTS (SELECT 1 FROM `atlas_edges` WHERE `id` = NEW.pk);
  UPDATE `atlas_edges` SET `id`=`id`,`project_id`=iif(json_type(NEW.columns,'$.project_id') IS NOT NULL,NEW.columns->>'project_id',`project_id`),`from_concept_id`=iif(json_type(NEW.columns,'$.from_concept_id') IS NOT NULL,NEW.columns->>'from_concept_id',`from_concept_id`),`to_concept_id`=iif(json_type(NEW.columns,'$.to_concept_id') IS NOT NULL,NEW.columns->>'to_concept_id',`to_concept_id`),`type`=iif(json_type(NEW.columns,'$.type') IS NOT NULL,NEW.columns->>'type',`type`),`weight`=iif(json_type(NEW.columns,'$.weight') IS NOT NULL,NEW.columns->>'weight',`weight`),`created_at`=iif(json_type(NEW.columns,'$.created_at') IS NOT NULL,NEW.columns->>'created_at',`created_at`)
    WHERE `id` = NEW.pk AND NEW.columns IS NOT NULL;
  INSERT INTO `atlas_edges`(`id`,`project_id`,`from_concept_id`,`to_concept_id`,`type`,`weight`,`created_at`)
    SELECT NEW.pk,NEW.columns->>'project_id',NEW.columns->>'from_concept_id',NEW.columns->>'to_concept_id',NEW.columns->>'type',NEW.columns->>'weight',coalesce(NEW.columns->>'created_at',(strftime('%Y-%m-%dT%H:%M:%fZ','now')))
    WHERE NEW.columns IS NOT NULL AND NEW.patch IS NULL AND NOT EXISTS (SELECT 1 FROM `atlas_edges` WHERE `id` = NEW.pk);
  DELETE FROM `atlas_edges` WHERE `id` = NEW.pk AND NEW.columns IS NULL;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_push_op_atlas_chunks` INSTEAD OF INSERT ON fastest_push_op WHEN NEW.tbl = 'atlas_chunks' BEGIN
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM json_each(NEW.columns) WHERE key NOT IN ('id','project_id','concept_id','kind','content','file_path','symbol','source_hash','created_at');
  SELECT RAISE(ABORT, 'fastest:payload_invalid') FROM json_each(NEW.columns)
    WHERE type IN ('array', 'object')
      AND NOT (key IN ('id','project_id','concept_id','kind','content','file_path','symbol','source_hash','created_at') AND json_type(value, '$.blob') IS NULL)
      OR key = 'id' AND atom IS NOT NEW.pk;
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM fastest_changes WHERE tbl='atlas_chunks' AND pk=NEW.pk AND deleted=0
    AND NEW.patch IS NULL AND NOT EXISTS (SELECT 1 FROM `atlas_chunks` WHERE `id` = NEW.pk);
  UPDATE `atlas_chunks` SET `id`=`id`,`project_id`=iif(json_type(NEW.columns,'$.project_id') IS NOT NULL,NEW.columns->>'project_id',`project_id`),`concept_id`=iif(json_type(NEW.columns,'$.concept_id') IS NOT NULL,NEW.columns->>'concept_id',`concept_id`),`kind`=iif(json_type(NEW.columns,'$.kind') IS NOT NULL,NEW.columns->>'kind',`kind`),`content`=iif(json_type(NEW.columns,'$.content') IS NOT NULL,NEW.columns->>'content',`content`),`file_path`=iif(json_type(NEW.columns,'$.file_path') IS NOT NULL,NEW.columns->>'file_path',`file_path`),`symbol`=iif(json_type(NEW.columns,'$.symbol') IS NOT NULL,NEW.columns->>'symbol',`symbol`),`source_hash`=iif(json_type(NEW.columns,'$.source_hash') IS NOT NULL,NEW.columns->>'source_hash',`source_hash`),`created_at`=iif(json_type(NEW.columns,'$.created_at') IS NOT NULL,NEW.columns->>'created_at',`created_at`)
    WHERE `id` = NEW.pk AND NEW.columns IS NOT NULL;
  INSERT INTO `atlas_chunks`(`id`,`project_id`,`concept_id`,`kind`,`content`,`file_path`,`symbol`,`source_hash`,`created_at`)
    SELECT NEW.pk,NEW.columns->>'project_id',NEW.columns->>'concept_id',NEW.columns->>'kind',NEW.columns->>'content',NEW.columns->>'file_path',NEW.columns->>'symbol',NEW.columns->>'source_hash',coalesce(NEW.columns->>'created_at',(strftime('%Y-%m-%dT%H:%M:%fZ','now')))
    WHERE NEW.columns IS NOT NULL AND NEW.patch IS NULL AND NOT EXISTS (SELECT 1 FROM `atlas_chunks` WHERE `id` = NEW.pk);
  DELETE FROM `atlas_chunks` WHERE `id` = NEW.pk AND NEW.columns IS NULL;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_push_op_atlas_embeddings` INSTEAD OF INSERT ON fastest_push_op WHEN NEW.tbl = 'atlas_embeddings' BEGIN
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM json_each(NEW.columns) WHERE key NOT IN ('id','chunk_id','model','vector','created_at');
  SELECT RAISE(ABORT, 'fastest:payload_invalid') FROM json_each(NEW.columns)
    WHERE type IN ('array', 'object')
      AND NOT (key IN ('id','chunk_id','model','vector','created_at') AND json_type(value, '$.blob') IS NULL)
      OR key = 'id' AND atom IS NOT NEW.pk;
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM fastest_changes WHERE tbl='atlas_embeddings' AND pk=NEW.pk AND deleted=0
    AND NEW.patch IS NULL AND NOT EXISTS (SELECT 1 FROM `atlas_embeddings` WHERE `id` = NEW.pk);
  UPDATE `atlas_embeddings` SET `id`=`id`,`chunk_id`=iif(json_type(NEW.columns,'$.chunk_id') IS NOT NULL,NEW.columns->>'chunk_id',`chunk_id`),`model`=iif(json_type(NEW.columns,'$.model') IS NOT NULL,NEW.columns->>'model',`model`),`vector`=iif(json_type(NEW.columns,'$.vector') IS NOT NULL,NEW.columns->>'vector',`vector`),`created_at`=iif(json_type(NEW.columns,'$.created_at') IS NOT NULL,NEW.columns->>'created_at',`created_at`)
    WHERE `id` = NEW.pk AND NEW.columns IS NOT NULL;
  INSERT INTO `atlas_embeddings`(`id`,`chunk_id`,`model`,`vector`,`created_at`)
    SELECT NEW.pk,NEW.columns->>'chunk_id',NEW.columns->>'model',NEW.columns->>'vector',coalesce(NEW.columns->>'created_at',(strftime('%Y-%m-%dT%H:%M:%fZ','now')))
    WHERE NEW.columns IS NOT NULL AND NEW.patch IS NULL AND NOT EXISTS (SELECT 1 FROM `atlas_embeddings` WHERE `id` = NEW.pk);
  DELETE FROM `atlas_embeddings` WHERE `id` = NEW.pk AND NEW.columns IS NULL;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_push_op_atlas_decision_links` INSTEAD OF INSERT ON fastest_push_op WHEN NEW.tbl = 'atlas_decision_links' BEGIN
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM json_each(NEW.columns) WHERE key NOT IN ('id','project_id','decision_id','concept_id','confidence','created_at');
  SELECT RAISE(ABORT, 'fastest:payload_invalid') FROM json_each(NEW.columns)
    WHERE type IN ('array', 'object')
      AND NOT (key IN ('id','project_id','decision_id','concept_id','created_at') AND json_type(value, '$.blob') IS NULL)
      OR key = 'id' AND atom IS NOT NEW.pk;
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM fastest_changes WHERE tbl='atlas_decision_links' AND pk=NEW.pk AND deleted=0
    AND NEW.patch IS NULL AND NOT EXISTS (SELECT 1 FROM `atlas_decision_links` WHERE `id` = NEW.pk);
  UPDATE `atlas_decision_links` SET `id`=`id`,`project_id`=iif(json_type(NEW.columns,'$.project_id') IS NOT NULL,NEW.columns->>'project_id',`project_id`),`decision_id`=iif(json_type(NEW.columns,'$.decision_id') IS NOT NULL,NEW.columns->>'decision_id',`decision_id`),`concept_id`=iif(json_type(NEW.columns,'$.concept_id') IS NOT NULL,NEW.columns->>'concept_id',`concept_id`),`confidence`=iif(json_type(NEW.columns,'$.confidence') IS NOT NULL,NEW.columns->>'confidence',`confidence`),`created_at`=iif(json_type(NEW.columns,'$.created_at') IS NOT NULL,NEW.columns->>'created_at',`created_at`)
    WHERE `id` = NEW.pk AND NEW.columns IS NOT NULL;
  INSERT INTO `atlas_decision_links`(`id`,`project_id`,`decision_id`,`concept_id`,`confidence`,`created_at`)
    SELECT NEW.pk,NEW.columns->>'project_id',NEW.columns->>'decision_id',NEW.columns->>'concept_id',NEW.columns->>'confidence',coalesce(NEW.columns->>'created_at',(strftime('%Y-%m-%dT%H:%M:%fZ','now')))
    WHERE NEW.columns IS NOT NULL AND NEW.patch IS NULL AND NOT EXISTS (SELECT 1 FROM `atlas_decision_links` WHERE `id` = NEW.pk);
  DELETE FROM `atlas_decision_links` WHERE `id` = NEW.pk AND NEW.columns IS NULL;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_push_op_atlas_diagrams` INSTEAD OF INSERT ON fastest_push_op WHEN NEW.tbl = 'atlas_diagrams' BEGIN
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM json_each(NEW.columns) WHERE key NOT IN ('id','project_id','concept_id','type','data','created_at');
  SELECT RAISE(ABORT, 'fastest:payload_invalid') FROM json_each(NEW.columns)
    WHERE type IN ('array', 'object')
      AND NOT (key IN ('id','project_id','concept_id','type','data','created_at') AND json_type(value, '$.blob') IS NULL)
      OR key = 'id' AND atom IS NOT NEW.pk;
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM fastest_changes WHERE tbl='atlas_diagrams' AND pk=NEW.pk AND deleted=0
    AND NEW.patch IS NULL AND NOT EXISTS (SELECT 1 FROM `atlas_diagrams` WHERE `id` = NEW.pk);
  UPDATE `atlas_diagrams` SET `id`=`id`,`project_id`=iif(json_type(NEW.columns,'$.project_id') IS NOT NULL,NEW.columns->>'project_id',`project_id`),`concept_id`=iif(json_type(NEW.columns,'$.concept_id') IS NOT NULL,NEW.columns->>'concept_id',`concept_id`),`type`=iif(json_type(NEW.columns,'$.type') IS NOT NULL,NEW.columns->>'type',`type`),`data`=iif(json_type(NEW.columns,'$.data') IS NOT NULL,NEW.columns->>'data',`data`),`created_at`=iif(json_type(NEW.columns,'$.created_at') IS NOT NULL,NEW.columns->>'created_at',`created_at`)
    WHERE `id` = NEW.pk AND NEW.columns IS NOT NULL;
  INSERT INTO `atlas_diagrams`(`id`,`project_id`,`concept_id`,`type`,`data`,`created_at`)
    SELECT NEW.pk,NEW.columns->>'project_id',NEW.columns->>'concept_id',NEW.columns->>'type',NEW.columns->>'data',coalesce(NEW.columns->>'created_at',(strftime('%Y-%m-%dT%H:%M:%fZ','now')))
    WHERE NEW.columns IS NOT NULL AND NEW.patch IS NULL AND NOT EXISTS (SELECT 1 FROM `atlas_diagrams` WHERE `id` = NEW.pk);
  DELETE FROM `atlas_diagrams` WHERE `id` = NEW.pk AND NEW.columns IS NULL;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_push_op_deployment_settings` INSTEAD OF INSERT ON fastest_push_op WHEN NEW.tbl = 'deployment_settings' BEGIN
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM json_each(NEW.columns) WHERE key NOT IN ('workspace_id','auto_deploy','runtime_override','build_command','start_command','created_at','updated_at');
  SELECT RAISE(ABORT, 'fastest:payload_invalid') FROM json_each(NEW.columns)
    WHERE type IN ('array', 'object')
      AND NOT (key IN ('workspace_id','runtime_override','build_command','start_command','created_at','updated_at') AND json_type(value, '$.blob') IS NULL)
      OR key = 'workspace_id' AND atom IS NOT NEW.pk;
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM fastest_changes WHERE tbl='deployment_settings' AND pk=NEW.pk AND deleted=0
    AND NEW.patch IS NULL AND NOT EXISTS (SELECT 1 FROM `deployment_settings` WHERE `workspace_id` = NEW.pk);
  UPDATE `deployment_settings` SET `workspace_id`=`workspace_id`,`auto_deploy`=iif(json_type(NEW.columns,'$.auto_deploy') IS NOT NULL,NEW.columns->>'auto_deploy',`auto_deploy`),`runtime_override`=iif(json_type(NEW.columns,'$.runtime_override') IS NOT NULL,NEW.columns->>'runtime_override',`runtime_override`),`build_command`=iif(json_type(NEW.columns,'$.build_command') IS NOT NULL,NEW.columns->>'build_command',`build_command`),`start_command`=iif(json_type(NEW.columns,'$.start_command') IS NOT NULL,NEW.columns->>'start_command',`start_command`),`created_at`=iif(json_type(NEW.columns,'$.created_at') IS NOT NULL,NEW.columns->>'created_at',`created_at`),`updated_at`=iif(json_type(NEW.columns,'$.updated_at') IS NOT NULL,NEW.columns->>'updated_at',`updated_at`)
    WHERE `workspace_id` = NEW.pk AND NEW.columns IS NOT NULL;
  INSERT INTO `deployment_settings`(`workspace_id`,`auto_deploy`,`runtime_override`,`build_command`,`start_command`,`created_at`,`updated_at`)
    SELECT NEW.pk,coalesce(NEW.columns->>'auto_deploy',0),NEW.columns->>'runtime_override',NEW.columns->>'build_command',NEW.columns->>'start_command',coalesce(NEW.columns->>'created_at',(strftime('%Y-%m-%dT%H:%M:%fZ','now'))),coalesce(NEW.columns->>'updated_at',(strftime('%Y-%m-%dT%H:%M:%fZ','now')))
    WHERE NEW.columns IS NOT NULL AND NEW.patch IS NULL AND NOT EXISTS (SELECT 1 FROM `deployment_settings` WHERE `workspace_id` = NEW.pk);
  DELETE FROM `deployment_settings` WHERE `workspace_id` = NEW.pk AND NEW.columns IS NULL;
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_push_op_deployments` INSTEAD OF INSERT ON fastest_push_op WHEN NEW.tbl = 'deployments' BEGIN
  SELECT RAISE(ABORT, 'fastest:unknown_column') FROM json_each(NEW.columns) WHERE key NOT IN ('id','workspace_id','project_id','snapshot_id','status','trigger','url','error','started_at','completed_at');
  SELECT RAISE(ABORT, 'fastest:payload_invalid') FROM json_each(NEW.columns)
    WHERE type IN ('array', 'object')
      AND NOT (key IN ('id','workspace_id','project_id','snapshot_id','status','trigger','url','error','started_at','completed_at') AND json_type(value, '$.blob') IS NULL)
      OR key = 'id' AND atom IS NOT NEW.pk;
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM fastest_changes WHERE tbl='deployments' AND pk=NEW.pk AND deleted=0
    AND NEW.patch IS NULL AND NOT EXISTS (SELECT 1 FROM `deployments` WHERE `id` = NEW.pk);
  UPDATE `deployments` SET `id`=`id`,`workspace_id`=iif(json_type(NEW.columns,'$.workspace_id') IS NOT NULL,NEW.columns->>'workspace_id',`workspace_id`),`project_id`=iif(json_type(NEW.columns,'$.project_id') IS NOT NULL,NEW.columns->>'project_id',`project_id`),`snapshot_id`=iif(json_type(NEW.columns,'$.snapshot_id') IS NOT NULL,NEW.columns->>'snapshot_id',`snapshot_id`),`status`=iif(json_type(NEW.columns,'$.status') IS NOT NULL,NEW.columns->>'status',`status`),`trigger`=iif(json_type(NEW.columns,'$.trigger') IS NOT NULL,NEW.columns->>'trigger',`trigger`),`url`=iif(json_type(NEW.columns,'$.url') IS NOT NULL,NEW.columns->>'url',`url`),`error`=iif(json_type(NEW.columns,'$.error') IS NOT NULL,NEW.columns->>'error',`error`),`started_at`=iif(json_type(NEW.columns,'$.started_at') IS NOT NULL,NEW.columns->>'started_at',`started_at`),`completed_at`=iif(json_type(NEW.columns,'$.completed_at') IS NOT NULL,NEW.columns->>'completed_at',`completed_at`)
    WHERE `id` = NEW.pk AND NEW.columns IS NOT NULL;
  INSERT INTO `deployments`(`id`,`workspace_id`,`project_id`,`snapshot_id`,`status`,`trigger`,`url`,`error`,`started_at`,`completed_at`)
    SELECT NEW.pk,NEW.columns->>'workspace_id',NEW.columns->>'project_id',NEW.columns->>'snapshot_id',NEW.columns->>'status',NEW.columns->>'trigger',NEW.columns->>'url',NEW.columns->>'error',NEW.columns->>'started_at',NEW.columns->>'completed_at'
    WHERE NEW.columns IS NOT NULL AND NEW.patch IS NULL AND NOT EXISTS (SELECT 1 FROM `deployments` WHERE `id` = NEW.pk);
  DELETE FROM `deployments` WHERE `id` = NEW.pk AND NEW.columns IS NULL;
END;
--> statement-breakpoint
CREATE VIEW fastest_push_delete AS SELECT NULL AS tbl, NULL AS keys, NULL AS locked;
--> statement-breakpoint
CREATE TRIGGER `fastest_push_delete_projects` INSTEAD OF INSERT ON fastest_push_delete WHEN NEW.tbl = 'projects' BEGIN
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM json_each(NEW.keys) AS d
    CROSS JOIN `next_steps` AS c ON c.`project_id` = d.value
    WHERE c.`id` NOT IN (SELECT value->>1 FROM json_each(NEW.locked)
      WHERE value->>0 = 'next_steps' AND value->>1 IS NOT NULL);
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM json_each(NEW.keys) AS d
    CROSS JOIN `project_decisions` AS c ON c.`project_id` = d.value
    WHERE c.`id` NOT IN (SELECT value->>1 FROM json_each(NEW.locked)
      WHERE value->>0 = 'project_decisions' AND value->>1 IS NOT NULL);
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM json_each(NEW.keys) AS d
    CROSS JOIN `action_items` AS c ON c.`project_id` = d.value
    WHERE c.`id` NOT IN (SELECT value->>1 FROM json_each(NEW.locked)
      WHERE value->>0 = 'action_items' AND value->>1 IS NOT NULL);
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM json_each(NEW.keys) AS d
    CROSS JOIN `action_item_runs` AS c ON c.`project_id` = d.value
    WHERE c.`id` NOT IN (SELECT value->>1 FROM json_each(NEW.locked)
      WHERE value->>0 = 'action_item_runs' AND value->>1 IS NOT NULL);
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM json_each(NEW.keys) AS d
    CROSS JOIN `atlas_concepts` AS c ON c.`project_id` = d.value
    WHERE c.`id` NOT IN (SELECT value->>1 FROM json_each(NEW.locked)
      WHERE value->>0 = 'atlas_concepts' AND value->>1 IS NOT NULL);
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM json_each(NEW.keys) AS d
    CROSS JOIN `atlas_edges` AS c ON c.`project_id` = d.value
    WHERE c.`id` NOT IN (SELECT value->>1 FROM json_each(NEW.locked)
      WHERE value->>0 = 'atlas_edges' AND value->>1 IS NOT NULL);
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM json_each(NEW.keys) AS d
    CROSS JOIN `atlas_chunks` AS c ON c.`project_id` = d.value
    WHERE c.`id` NOT IN (SELECT value->>1 FROM json_each(NEW.locked)
      WHERE value->>0 = 'atlas_chunks' AND value->>1 IS NOT NULL);
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM json_each(NEW.keys) AS d
    CROSS JOIN `atlas_decision_links` AS c ON c.`project_id` = d.value
    WHERE c.`id` NOT IN (SELECT value->>1 FROM json_each(NEW.locked)
      WHERE value->>0 = 'atlas_decision_links' AND value->>1 IS NOT NULL);
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM json_each(NEW.keys) AS d
    CROSS JOIN `atlas_diagrams` AS c ON c.`project_id` = d.value
    WHERE c.`id` NOT IN (SELECT value->>1 FROM json_each(NEW.locked)
      WHERE value->>0 = 'atlas_diagrams' AND value->>1 IS NOT NULL);
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM json_each(NEW.keys) AS d
    CROSS JOIN `deployments` AS c ON c.`project_id` = d.value
    WHERE c.`id` NOT IN (SELECT value->>1 FROM json_each(NEW.locked)
      WHERE value->>0 = 'deployments' AND value->>1 IS NOT NULL);
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_push_delete_snapshots` INSTEAD OF INSERT ON fastest_push_delete WHEN NEW.tbl = 'snapshots' BEGIN
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM json_each(NEW.keys) AS d
    CROSS JOIN `atlas_concepts` AS c ON c.`source_snapshot_id` = d.value
    WHERE c.`id` NOT IN (SELECT value->>1 FROM json_each(NEW.locked)
      WHERE value->>0 = 'atlas_concepts' AND value->>1 IS NOT NULL);
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM json_each(NEW.keys) AS d
    CROSS JOIN `deployments` AS c ON c.`snapshot_id` = d.value
    WHERE c.`id` NOT IN (SELECT value->>1 FROM json_each(NEW.locked)
      WHERE value->>0 = 'deployments' AND value->>1 IS NOT NULL);
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_push_delete_workspaces` INSTEAD OF INSERT ON fastest_push_delete WHEN NEW.tbl = 'workspaces' BEGIN
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM json_each(NEW.keys) AS d
    CROSS JOIN `action_items` AS c ON c.`workspace_id` = d.value
    WHERE c.`id` NOT IN (SELECT value->>1 FROM json_each(NEW.locked)
      WHERE value->>0 = 'action_items' AND value->>1 IS NOT NULL);
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM json_each(NEW.keys) AS d
    CROSS JOIN `action_item_runs` AS c ON c.`workspace_id` = d.value
    WHERE c.`id` NOT IN (SELECT value->>1 FROM json_each(NEW.locked)
      WHERE value->>0 = 'action_item_runs' AND value->>1 IS NOT NULL);
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM json_each(NEW.keys) AS d
    CROSS JOIN `deployment_settings` AS c ON c.`workspace_id` = d.value
    WHERE c.`workspace_id` NOT IN (SELECT value->>1 FROM json_each(NEW.locked)
      WHERE value->>0 = 'deployment_settings' AND value->>1 IS NOT NULL);
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM json_each(NEW.keys) AS d
    CROSS JOIN `deployments` AS c ON c.`workspace_id` = d.value
    WHERE c.`id` NOT IN (SELECT value->>1 FROM json_each(NEW.locked)
      WHERE value->>0 = 'deployments' AND value->>1 IS NOT NULL);
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_push_delete_conversations` INSTEAD OF INSERT ON fastest_push_delete WHEN NEW.tbl = 'conversations' BEGIN
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM json_each(NEW.keys) AS d
    CROSS JOIN `project_decisions` AS c ON c.`conversation_id` = d.value
    WHERE c.`id` NOT IN (SELECT value->>1 FROM json_each(NEW.locked)
      WHERE value->>0 = 'project_decisions' AND value->>1 IS NOT NULL);
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_push_delete_project_decisions` INSTEAD OF INSERT ON fastest_push_delete WHEN NEW.tbl = 'project_decisions' BEGIN
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM json_each(NEW.keys) AS d
    CROSS JOIN `atlas_decision_links` AS c ON c.`decision_id` = d.value
    WHERE c.`id` NOT IN (SELECT value->>1 FROM json_each(NEW.locked)
      WHERE value->>0 = 'atlas_decision_links' AND value->>1 IS NOT NULL);
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_push_delete_action_items` INSTEAD OF INSERT ON fastest_push_delete WHEN NEW.tbl = 'action_items' BEGIN
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM json_each(NEW.keys) AS d
    CROSS JOIN `action_item_runs` AS c ON c.`action_item_id` = d.value
    WHERE c.`id` NOT IN (SELECT value->>1 FROM json_each(NEW.locked)
      WHERE value->>0 = 'action_item_runs' AND value->>1 IS NOT NULL);
END;
--> statement-breakpoint
CREATE TRIGGER `fastest_push_delete_atlas_chunks` INSTEAD OF INSERT ON fastest_push_delete WHEN NEW.tbl = 'atlas_chunks' BEGIN
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM json_each(NEW.keys) AS d
    CROSS JOIN `atlas_embeddings` AS c ON c.`chunk_id` = d.value
    WHERE c.`id` NOT IN (SELECT value->>1 FROM json_each(NEW.locked)
      WHERE value->>0 = 'atlas_embeddings' AND value->>1 IS NOT NULL);
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
    WHERE value->>0 NOT IN ('users','projects','fastest_packs','snapshots','workspaces','drift_reports','activity_events','conversations','next_steps','project_decisions','action_items','action_item_runs','atlas_concepts','atlas_edges','atlas_chunks','atlas_embeddings','atlas_decision_links','atlas_diagrams','deployment_settings','deployments') OR value->>3 IS NOT NULL AND value->>0 NOT IN ('users','projects','workspaces','conversations','next_steps','project_decisions','action_items','action_item_runs','atlas_concepts','atlas_edges','atlas_chunks','atlas_embeddings','atlas_decision_links','atlas_diagrams','deployment_settings','deployments');
  SELECT RAISE(ABORT, 'fastest:version_conflict') FROM json_each(NEW.payload->'locks') AS l
    LEFT JOIN fastest_changes AS c ON c.tbl = l.value->>0 AND c.pk = l.value->>1
    WHERE coalesce(c.version, 0) IS NOT l.value->>2;
  SELECT RAISE(ABORT, 'fastest:lock_missing') FROM json_each(NEW.payload->'ops')
    WHERE value->>0 IN ('users','projects','workspaces','conversations','next_steps','project_decisions','action_items','action_item_runs','atlas_concepts','atlas_edges','atlas_chunks','atlas_embeddings','atlas_decision_links','atlas_diagrams','deployment_settings','deployments') AND value->>3 IS NULL AND (value->>0, value->>1) NOT IN (
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
  SELECT RAISE(ABORT, 'fastest:unknown_table') FROM json_each(NEW.payload->'rows') WHERE key NOT IN (SELECT value->>0 FROM json_each('[["users","id",true],["projects","id",true],["fastest_packs","id",false],["snapshots","id",false],["workspaces","id",true],["drift_reports","id",false],["activity_events","id",false],["conversations","id",true],["next_steps","id",true],["project_decisions","id",true],["action_items","id",true],["action_item_runs","id",true],["atlas_concepts","id",true],["atlas_edges","id",true],["atlas_chunks","id",true],["atlas_embeddings","id",true],["atlas_decision_links","id",true],["atlas_diagrams","id",true],["deployment_settings","workspace_id",true],["deployments","id",true]]'));
  SELECT RAISE(ABORT, 'fastest:unknown_table') FROM json_each(NEW.payload->'patch') WHERE key NOT IN (SELECT value->>0 FROM json_each('[["users","id",true],["projects","id",true],["fastest_packs","id",false],["snapshots","id",false],["workspaces","id",true],["drift_reports","id",false],["activity_events","id",false],["conversations","id",true],["next_steps","id",true],["project_decisions","id",true],["action_items","id",true],["action_item_runs","id",true],["atlas_concepts","id",true],["atlas_edges","id",true],["atlas_chunks","id",true],["atlas_embeddings","id",true],["atlas_decision_links","id",true],["atlas_diagrams","id",true],["deployment_settings","workspace_id",true],["deployments","id",true]]') WHERE value->>2);
  SELECT RAISE(ABORT, 'fastest:unknown_table') FROM json_each(NEW.payload->'delete') WHERE key NOT IN (SELECT value->>0 FROM json_each('[["users","id",true],["projects","id",true],["fastest_packs","id",false],["snapshots","id",false],["workspaces","id",true],["drift_reports","id",false],["activity_events","id",false],["conversations","id",true],["next_steps","id",true],["project_decisions","id",true],["action_items","id",true],["action_item_runs","id",true],["atlas_concepts","id",true],["atlas_edges","id",true],["atlas_chunks","id",true],["atlas_embeddings","id",true],["atlas_decision_links","id",true],["atlas_diagrams","id",true],["deployment_settings","workspace_id",true],["deployments","id",true]]'));
  INSERT INTO fastest_push_2(id, device, payload)
    SELECT NEW.id, NEW.device, json_set(json_remove(NEW.payload, '$.rows', '$.patch', '$.delete'),
      '$.v', 2, '$.ops', json((SELECT json_group_array(json(op)) FROM (
      SELECT json_array(t.value->>0, iif(t.value->>2, coalesce(r.value->>(t.value->>1), ''),
        r.value->>(t.value->>1)), json(r.value)) AS op, 0 AS part, t.key AS place, r.key AS at
      FROM json_each('[["users","id",true],["projects","id",true],["fastest_packs","id",false],["snapshots","id",false],["workspaces","id",true],["drift_reports","id",false],["activity_events","id",false],["conversations","id",true],["next_steps","id",true],["project_decisions","id",true],["action_items","id",true],["action_item_runs","id",true],["atlas_concepts","id",true],["atlas_edges","id",true],["atlas_chunks","id",true],["atlas_embeddings","id",true],["atlas_decision_links","id",true],["atlas_diagrams","id",true],["deployment_settings","workspace_id",true],["deployments","id",true]]') AS t
      JOIN json_each(NEW.payload->'rows'->(t.value->>0)) AS r
      UNION ALL
      SELECT json_array(t.value->>0, r.value->>(t.value->>1), json(r.value), 1), 0, t.key, r.key
      FROM json_each('[["users","id",true],["projects","id",true],["fastest_packs","id",false],["snapshots","id",false],["workspaces","id",true],["drift_reports","id",false],["activity_events","id",false],["conversations","id",true],["next_steps","id",true],["project_decisions","id",true],["action_items","id",true],["action_item_runs","id",true],["atlas_concepts","id",true],["atlas_edges","id",true],["atlas_chunks","id",true],["atlas_embeddings","id",true],["atlas_decision_links","id",true],["atlas_diagrams","id",true],["deployment_settings","workspace_id",true],["deployments","id",true]]') AS t
      JOIN json_each(NEW.payload->'patch'->(t.value->>0)) AS r
      UNION ALL
      SELECT json_array(t.value->>0, r.value), 1, -t.key, r.key
      FROM json_each('[["users","id",true],["projects","id",true],["fastest_packs","id",false],["snapshots","id",false],["workspaces","id",true],["drift_reports","id",false],["activity_events","id",false],["conversations","id",true],["next_steps","id",true],["project_decisions","id",true],["action_items","id",true],["action_item_runs","id",true],["atlas_concepts","id",true],["atlas_edges","id",true],["atlas_chunks","id",true],["atlas_embeddings","id",true],["atlas_decision_links","id",true],["atlas_diagrams","id",true],["deployment_settings","workspace_id",true],["deployments","id",true]]') AS t
      JOIN json_each(NEW.payload->'delete'->(t.value->>0)) AS r
      ORDER BY part, place, at))));
END;
