"""Live lessons: the wire protocol, the room and who may do what in it."""
