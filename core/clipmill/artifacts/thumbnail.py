"""Define the time and the size of the thumbnail of a clip or a finished video."""

# Time of the thumbnail; the middle of a video shorter than twice this.
THUMBNAIL_S = 3
THUMBNAIL_WIDTH = 480
