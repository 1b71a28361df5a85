"""Unfinished uploads in the object store, where all replicas see them, and their signed links.

Announcements and parts of files enter; whole files to inspect leave.
"""
