"""All SQL of the API, one module per group of tables. Only this package writes statements."""
