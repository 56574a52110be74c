"""HTTP handlers, one module per resource: read, call one service method, reply."""
