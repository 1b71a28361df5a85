"""The routes: what is asked, who may ask it, and which module answers."""
