"""Tags and filters for templates that show editions.

digest_mail  what the templates of the digest's mails need
editions     a newsletter's next and latest edition, for readers' pages
"""
