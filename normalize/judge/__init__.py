"""The judge of blocks: which segments of a page are its story."""
