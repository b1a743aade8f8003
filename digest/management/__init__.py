"""The commands of the digest.

newsletter_options  finds the newsletter and the section that a command line names
"""
