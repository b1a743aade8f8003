"""What tests have in common.

local_services    starts the tests' own PostgreSQL and Redis before Django's settings are read
database          gives each xdist worker a database, and empties it after a test that commits
worker            a real Celery worker
browser           a real Chromium, its pages, and axe
staff             editors and other staff, logged in to the admin
api_clients       clients of the API, with a token and without
shell             runs parts of Daybreak in other processes
deployments       the processes of Daybreak, as each documented way to deploy it starts them
programs          programs that a developer's machine may lack, and that CI must have
waiting           waits for a condition, never for a fixed time
query_plans       the query plans that PostgreSQL would choose on large tables
challenge_solver  solves a challenge as a reader's browser does
embedding         an embedding of a few words, for EVENT_EMBEDDING
suppression       what the suppression list says of some addresses
no_redis          a Redis that cannot be reached
other_release     values in the cache that another release of the code has stored
paths             folders that tests read files from or start processes in
"""
