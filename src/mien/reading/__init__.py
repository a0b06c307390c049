"""The rules by which photos are read: what may be given, where a file ends, which page counts, what its values mean.

`mien.images.load_image` applies them; nothing here looks for faces.
"""
