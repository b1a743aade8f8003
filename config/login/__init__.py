"""Let staff into the admin.

throttle  how many wrong passwords are too many, and for how long
views     the page of a log-in that is closed
"""
