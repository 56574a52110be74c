CREATE TABLE register_version (
    number INTEGER PRIMARY KEY,
    author TEXT NOT NULL,
    at DOUBLE PRECISION NOT NULL,
    body TEXT NOT NULL
);
