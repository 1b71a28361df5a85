"""The API server: the only owner of database and media bytes."""
