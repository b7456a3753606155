DROP VIEW fastest_push;
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
