"""What stays of a live session: journal, recordings, review."""
