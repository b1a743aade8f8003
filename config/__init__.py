"""Wire the parts of the project together; the apps never import from here.

settings         every setting, read from the environment
paths            where the project and its data are; reads .env
environment      reads one variable, and says which one cannot be read
checks           what is unsafe about a deployment
env_file_checks  who may read .env, and what in it nobody reads
value_checks     settings that would refuse everybody, purge too early, or have no effect
http_middleware  answers HEAD without a body, and clients that leave in the middle
forbidden        answers whom a page is not for
plain_errors     what fails around a command, in one plain line
semaphores       whether this machine lets processes share locks
celery           the Celery app
login            how staff log in: the throttle and the second factor
health           whether Daybreak works: /healthz and /readyz
urls             every URL that Daybreak answers
reader_urls      the URLs of readers' pages, from which links in mails are made
wsgi, asgi       the entry points of web servers
apps             registers config for its commands, its checks and its part of the admin
admin            staff's accounts and groups in the admin
lazy_admin       imports the admin only if its pages are shown or checked
management       the commands that run Daybreak
formats          how each language writes days, hours and numbers
devserver        what `make run` starts where nothing is installed
"""

from config.celery import app as celery_app

__all__ = ["celery_app"]
