"""A story's picture, as far as a feed or a page tells.

choose  chooses it among those that are found
tags    finds the images in markup
signs   knows emoji, spacers and the like by their names
"""
