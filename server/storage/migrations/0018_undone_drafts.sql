CREATE TABLE table_draft_undone (
    community TEXT NOT NULL,
    revision INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (community, revision)
);
