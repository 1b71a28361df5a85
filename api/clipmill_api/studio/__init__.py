"""The web pages: the dashboard and the API reference, served from files of this package.

In: requests of a browser. Out: HTML, scripts and styles; nothing is loaded from another host.
"""
