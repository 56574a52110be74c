"""What leaves the timetable: calendar feeds, lists, workbooks and pages for a wall."""
