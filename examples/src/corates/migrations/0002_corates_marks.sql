ALTER TABLE fastest_meta ADD COLUMN last_push text;
--> statement-breakpoint
DROP TRIGGER `fastest_push_2_apply`;
--> statement-breakpoint
CREATE TRIGGER fastest_push_2_apply INSTEAD OF INSERT ON fastest_push_2 BEGIN
  SELECT RAISE(ABORT, 'fastest:payload_version') WHERE NEW.payload->>'v' IS NOT 2;
  SELECT RAISE(IGNORE) FROM fastest_pushes WHERE id = NEW.id;
  SELECT RAISE(ABORT, 'fastest:payload_invalid') WHERE json_type(NEW.payload, '$.counter') IS NOT 'integer'
    OR NEW.payload->>'counter' NOT BETWEEN 0 AND 9007199254740992;
  SELECT RAISE(ABORT, 'fastest:device_counter') FROM fastest_pushes WHERE device = NEW.device AND counter >= NEW.payload->>'counter';
  SELECT RAISE(ABORT, 'fastest:restored') FROM fastest_meta
    WHERE NEW.payload->>'epoch' IS NOT NULL AND epoch IS NOT NEW.payload->>'epoch';
  SELECT RAISE(ABORT, 'fastest:restored') WHERE NEW.payload->>'after' IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM fastest_pushes WHERE id = NEW.payload->>'after');
  SELECT RAISE(ABORT, 'fastest:restored') WHERE NEW.payload->>'mark' IS NOT NULL
    AND NOT (EXISTS (SELECT 1 FROM fastest_pushes WHERE id = (NEW.payload->'mark')->>0)
      OR coalesce((SELECT max(counter) FROM fastest_pushes WHERE device = (NEW.payload->'mark')->>1), 0)
        >= (NEW.payload->'mark')->>2 + 1000);
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
  UPDATE fastest_meta SET last_push = NEW.id;
  DELETE FROM fastest_pushes
    WHERE device = NEW.device AND counter <= (NEW.payload->>'counter') - 1000;
END;
--> statement-breakpoint
INSERT OR IGNORE INTO d1_migrations(name) VALUES ('fastest:0002_corates_marks.sql');
