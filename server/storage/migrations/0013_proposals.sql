CREATE TABLE repair_proposal (
    id TEXT PRIMARY KEY,
    community TEXT NOT NULL,
    at DOUBLE PRECISION NOT NULL,
    body TEXT NOT NULL
);
CREATE TABLE membership_change (
    id TEXT PRIMARY KEY,
    community TEXT NOT NULL,
    state TEXT NOT NULL,
    at DOUBLE PRECISION NOT NULL,
    body TEXT NOT NULL
);
