CREATE TABLE person (
    id TEXT PRIMARY KEY,
    login TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    unit TEXT,
    teacher TEXT,
    password_hash TEXT NOT NULL,
    active INTEGER NOT NULL,
    demo INTEGER NOT NULL
);
CREATE TABLE person_grant (
    person TEXT NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    role TEXT NOT NULL,
    unit TEXT NOT NULL,
    community TEXT NOT NULL,
    PRIMARY KEY (person, role, unit, community)
);
CREATE TABLE login_session (
    token_hash TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    created_at DOUBLE PRECISION NOT NULL,
    expires_at DOUBLE PRECISION NOT NULL
);
CREATE INDEX login_session_subject ON login_session (kind, subject);
CREATE TABLE paired_room (
    room TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    unit TEXT NOT NULL,
    paired_at DOUBLE PRECISION NOT NULL,
    paired_by TEXT NOT NULL,
    last_seen DOUBLE PRECISION
);
CREATE TABLE pairing (
    secret_hash TEXT PRIMARY KEY,
    code_hash TEXT NOT NULL UNIQUE,
    expires_at DOUBLE PRECISION NOT NULL,
    room TEXT,
    collected INTEGER NOT NULL
);
