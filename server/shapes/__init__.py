"""The HTTP bodies of the API, defined once: handlers encode them, TypeScript types are generated from them."""
