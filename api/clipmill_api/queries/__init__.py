"""All SQL of the API. Nothing else may import `sqlalchemy` statements."""
