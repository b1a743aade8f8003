"""What every part needs and none owns: tasks, Redis, a cache, files, signatures, policies of pages.

queue             enqueues tasks so that a missing broker delays them and raises no error
shared_redis      runs a command on Redis, or says that Redis is unavailable
shared_cache      keeps values in Redis, or in this process while Redis is unavailable
uploads           receives uploaded files, and says why one cannot be stored
characters        knows the characters that act on more than their own text
signing           signs many values with one salt and secret
kept_edits        keeps what an editor typed when the session had ended
content_security  says what each kind of page may load, run and be framed by
"""
