"""A standing table looked at and changed: where a lesson could go, and the fewest moves that make room for it."""
