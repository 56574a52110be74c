-- compat: 0019
-- An older program would show again what was recorded of a class that has withdrawn.
CREATE TABLE consent_word (
    number INTEGER PRIMARY KEY,
    class TEXT NOT NULL,
    agreed INTEGER NOT NULL,
    person TEXT NOT NULL,
    at DOUBLE PRECISION NOT NULL
);
CREATE INDEX consent_word_class ON consent_word (class, number);
CREATE TABLE pupil_named (
    class TEXT NOT NULL,
    review TEXT NOT NULL,
    word TEXT NOT NULL,
    person TEXT NOT NULL,
    at DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (class, review, word)
);
CREATE INDEX pupil_named_review ON pupil_named (review);
