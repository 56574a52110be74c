"""The one shared timetable: pure domain, no I/O."""
