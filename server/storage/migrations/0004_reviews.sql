CREATE TABLE review (
    id TEXT PRIMARY KEY,
    session TEXT NOT NULL UNIQUE,
    held_at DOUBLE PRECISION NOT NULL,
    state TEXT NOT NULL,
    due_at DOUBLE PRECISION NOT NULL,
    revision INTEGER NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX review_held_at ON review (held_at);
CREATE TABLE review_part (
    review TEXT NOT NULL REFERENCES review (id) ON DELETE CASCADE,
    unit TEXT NOT NULL,
    PRIMARY KEY (review, unit)
);
CREATE INDEX review_part_unit ON review_part (unit);
CREATE TABLE review_comment (
    id TEXT PRIMARY KEY,
    review TEXT NOT NULL REFERENCES review (id) ON DELETE CASCADE,
    place INTEGER NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (review, place)
);
CREATE TABLE review_score (
    review TEXT NOT NULL REFERENCES review (id) ON DELETE CASCADE,
    person TEXT NOT NULL,
    given_at DOUBLE PRECISION NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (review, person)
);
CREATE TABLE review_conclusion (
    review TEXT NOT NULL REFERENCES review (id) ON DELETE CASCADE,
    person TEXT NOT NULL,
    unit TEXT NOT NULL,
    written_at DOUBLE PRECISION NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (review, person)
);
CREATE TABLE review_viewing (
    review TEXT NOT NULL REFERENCES review (id) ON DELETE CASCADE,
    person TEXT NOT NULL,
    at DOUBLE PRECISION NOT NULL
);
CREATE INDEX review_viewing_review ON review_viewing (review, at);
