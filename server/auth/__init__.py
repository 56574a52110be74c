"""Sign-in, login sessions, roles and paired endpoints."""
