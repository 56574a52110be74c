CREATE TABLE table_draft (
    community TEXT PRIMARY KEY,
    revision INTEGER NOT NULL,
    body TEXT NOT NULL
);
CREATE TABLE table_version (
    community TEXT NOT NULL,
    number INTEGER NOT NULL,
    author TEXT NOT NULL,
    at DOUBLE PRECISION NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (community, number)
);
