"""Media forwarding without decoding; the only package that knows aiortc."""
