"""Run Daybreak where nothing is installed: `make run`, tests and benches.

A deployment with DATABASE_URL, REDIS_URL and EMAIL_RELAYS starts none of this.

local           starts the servers that are not configured, and says where they are
local_postgres  PostgreSQL from its wheel
local_redis     Redis from its wheel
sockets         where their sockets are
supervisor      runs web server, workers and beat as one command
mailbox         shows the mails of the local mailbox in the browser
first_start     gives a new developer a demo newsletter and an account
install         installs a file of requirements, and says how far it is
"""
