ALTER TABLE register_version ADD COLUMN term TEXT NOT NULL DEFAULT '';
UPDATE register_version SET term = json_extract(body, '$.term.id');
