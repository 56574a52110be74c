"""The composition root and every adapter between the domain packages and the outside."""
