CREATE TABLE material (
    id TEXT PRIMARY KEY,
    lesson TEXT NOT NULL,
    occurrence TEXT NOT NULL,
    kind TEXT NOT NULL,
    title TEXT NOT NULL,
    added_at DOUBLE PRECISION NOT NULL
);
CREATE INDEX material_lesson ON material (lesson, occurrence);
CREATE TABLE material_version (
    id TEXT PRIMARY KEY,
    material TEXT NOT NULL REFERENCES material (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (material, number)
);
CREATE TABLE material_blob (
    version TEXT NOT NULL REFERENCES material_version (id) ON DELETE CASCADE,
    blob TEXT NOT NULL,
    PRIMARY KEY (version, blob)
);
CREATE INDEX material_blob_blob ON material_blob (blob);
