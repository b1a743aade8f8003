"""Stories that an editor or a program adds, one by one.

by_hand  adds the story at a URL, or a pasted one
pages    reads an article's page
pasted   reads an article that was pasted with the menus around it
pushed   stores a story that a program sends by the API
"""
