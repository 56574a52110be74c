"""The register as people hand it in and take it away: sheets, rows, checks, and a change as the rows that differ."""
