"""SQL of the deletion of users."""
