"""What a school has already: its own table in its own form, and a teacher's or room's own calendar."""
