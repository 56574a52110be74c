CREATE TABLE register_unfollowed (
    number INTEGER PRIMARY KEY
);
