"""Which API a command talks to, and with which key."""
