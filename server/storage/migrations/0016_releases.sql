-- compat: 0016
-- An older program would show every recording to every teacher of the units that took part.
CREATE TABLE review_release (
    review TEXT NOT NULL REFERENCES review (id) ON DELETE CASCADE,
    place INTEGER NOT NULL,
    scope TEXT NOT NULL,
    person TEXT NOT NULL,
    at DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (review, place)
);
CREATE TABLE review_invited (
    review TEXT NOT NULL,
    place INTEGER NOT NULL,
    person TEXT NOT NULL,
    PRIMARY KEY (review, place, person),
    FOREIGN KEY (review, place) REFERENCES review_release (review, place) ON DELETE CASCADE
);
-- What is there already is private like what will come; who has opened a recording for its review keeps it, by name.
INSERT INTO review_release (review, place, scope, person, at)
    SELECT review.id, 0, 'teachers', '', review.held_at
    FROM review
    WHERE EXISTS (SELECT 1 FROM review_viewing WHERE review_viewing.review = review.id);
INSERT INTO review_invited (review, place, person)
    SELECT DISTINCT review_viewing.review, 0, review_viewing.person FROM review_viewing;
