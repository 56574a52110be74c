-- compat: 0017
-- An older program would show again what was recorded of a class that had refused and has left, and note none that does.
CREATE TABLE consent_refused (
    class TEXT PRIMARY KEY
);
INSERT INTO consent_refused (class)
    SELECT class
    FROM (
        -- with max(), SQLite takes the other columns from the row that has it
        SELECT
            json_extract(one.value, '$.id') AS class,
            json_extract(one.value, '$.recordingConsent') AS agreed,
            max(number)
        FROM register_version, json_each(body, '$.classes') AS one
        GROUP BY 1
    )
    WHERE coalesce(agreed, 0) = 0;
