"""The fifteen endpoints of the migration guide, as corrected: the rows behind each answer."""
