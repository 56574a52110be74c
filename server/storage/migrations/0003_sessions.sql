CREATE TABLE live_session (
    id TEXT PRIMARY KEY,
    lesson TEXT NOT NULL,
    occurrence TEXT NOT NULL,
    community TEXT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    starts DOUBLE PRECISION NOT NULL,
    ends DOUBLE PRECISION NOT NULL,
    plan TEXT NOT NULL,
    journal TEXT NOT NULL,
    review TEXT,
    ended_at DOUBLE PRECISION
);
CREATE INDEX live_session_starts ON live_session (starts);
CREATE INDEX live_session_lesson ON live_session (lesson, starts);
