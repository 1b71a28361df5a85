"""The operator: watches Compilations and their Jobs, decides purely, applies by server-side apply."""
