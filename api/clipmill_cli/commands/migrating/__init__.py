"""Commands that bring data of another system here."""
