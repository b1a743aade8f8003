"""Stories that an editor or a program adds, one by one.

by_hand     adds the story at a URL, or a pasted one
pages       reads an article's page
page_dates  finds when its article was published
json_ld     reads what the page says of it for search engines
pasted      reads an article that was pasted with the menus around it
pushed      stores a story that a program sends by the API
"""
