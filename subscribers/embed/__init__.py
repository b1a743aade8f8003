"""The sign-up form in somebody else's page.

form      the texts and colours of the form
snippet   the HTML that a site's owner pastes, with the choices they made
contrast  colours that stay readable on any background
"""
