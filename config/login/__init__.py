"""Let staff into the admin: by password, then by a code of their authenticator app.

throttle       how many wrong passwords are too many, and for how long
second_factor  who owes a code, which codes are right, and how an app is set up
middleware     a session whose code was not given is nobody's
forms          the field for a code
views          the pages between the password and the admin, and the account's own
stale_form     what becomes of a form whose log-in was renewed in another tab
site           the admin, with these pages in it

The three steps of a session: nobody; the password was given (Django's own log-in; request.user
still is nobody); the code was given. Views ask request.user and need not know of the second.
"""
