ALTER TABLE register_version ADD COLUMN term TEXT NOT NULL DEFAULT '';
UPDATE register_version SET term = body::json -> 'term' ->> 'id';
