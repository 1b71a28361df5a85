"""How the API is reached: its certificate, and the addresses from which jobs may call it.

In: files of a certificate or of a CA, which may be replaced at any time, and connections. Out: TLS
with the newest certificate, and a refusal of jobs from other networks.
"""
