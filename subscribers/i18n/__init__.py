"""The languages and the time zones that readers can choose.

languages  chooses the language of a page or mail
timezones  names the world's time zones in a reader's language

The translations themselves are in config/locale; docs/languages.md says how to add one.
"""
