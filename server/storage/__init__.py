"""The database: one door, its migrations, and one store per domain package."""
