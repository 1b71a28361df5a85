"""What the terminal shows: tables, progress, and errors as one line with an exit code."""
