"""FET's files (.fet): what they hold, how they are read and written, and what they cannot express."""
