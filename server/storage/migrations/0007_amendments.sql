CREATE TABLE amendment (
    community TEXT NOT NULL,
    number INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    state TEXT NOT NULL,
    applied_as INTEGER,
    body TEXT NOT NULL,
    PRIMARY KEY (community, number)
);
CREATE INDEX amendment_state ON amendment (state);
