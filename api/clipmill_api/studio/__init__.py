"""The web page of the API and its reference, served from files of this package."""
