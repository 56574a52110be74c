CREATE TABLE feed (
    id TEXT PRIMARY KEY,
    secret_hash TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    target TEXT NOT NULL,
    owner TEXT NOT NULL,
    device TEXT NOT NULL,
    created_at DOUBLE PRECISION NOT NULL,
    last_read DOUBLE PRECISION,
    revoked_at DOUBLE PRECISION
);
CREATE INDEX feed_owner ON feed (owner);
