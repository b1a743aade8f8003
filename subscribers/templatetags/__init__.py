"""Filters for the templates of the readers' pages and mails.

accents    a newsletter's colour, readable in light and in dark mode
typefaces  the typefaces for a language's script
"""
