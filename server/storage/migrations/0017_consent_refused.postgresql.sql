-- compat: 0017
-- An older program would show again what was recorded of a class that had refused and has left, and note none that does.
CREATE TABLE consent_refused (
    class TEXT PRIMARY KEY
);
INSERT INTO consent_refused (class)
    SELECT class
    FROM (
        SELECT DISTINCT ON (one ->> 'id')
            one ->> 'id' AS class,
            coalesce((one ->> 'recordingConsent')::boolean, FALSE) AS agreed
        FROM register_version, json_array_elements(body::json -> 'classes') AS one
        ORDER BY one ->> 'id', number DESC
    ) AS last_word
    WHERE NOT agreed;
