CREATE TABLE lesson_exercises (
    lesson TEXT PRIMARY KEY,
    revision INTEGER NOT NULL,
    changed_by TEXT NOT NULL,
    changed_at DOUBLE PRECISION NOT NULL,
    body TEXT NOT NULL
);
