"""How fast the service is on this machine: a county of a million items, the real server, and the database alone."""
