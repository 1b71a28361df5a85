"""The operator: watches Compilations and their Jobs, decides purely, applies server-side."""
