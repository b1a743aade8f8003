"""The languages and the time zones that readers can choose.

The catalogues of translations are in config/locale.
"""
