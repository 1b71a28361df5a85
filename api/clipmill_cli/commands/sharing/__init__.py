"""Commands that give others access to results."""
