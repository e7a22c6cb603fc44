"""What the database must hold whatever happened to it: each fact stated once, and looked at by `ops audit`."""
