"""The domain of Clipmill, pure: no clock, disk, network or database."""
