CREATE TABLE session_access (
    id TEXT PRIMARY KEY,
    lesson TEXT NOT NULL,
    kind TEXT NOT NULL,
    given_by TEXT NOT NULL,
    given_at DOUBLE PRECISION NOT NULL,
    expires_at DOUBLE PRECISION NOT NULL,
    withdrawn_at DOUBLE PRECISION
);
CREATE INDEX session_access_expires ON session_access (expires_at);
