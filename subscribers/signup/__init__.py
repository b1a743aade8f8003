"""Take a reader from an address in a form to a confirmed subscription.

flow               what pages, embedded form and API call: sign_up, request_fresh_link, confirm
abuse              judges each attempt: limits, form token, honeypot, challenge
enrol              stores the pending subscription and when its mail is due; one in five minutes
confirmation_mail  sends the mail that is due: confirmation, reminder or welcome
pending            reminds readers who have not confirmed, and deletes them after a while
newsletter_cache   the newsletter of a sign-up page, cached for seconds
"""
