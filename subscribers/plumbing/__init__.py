"""What every part needs and none owns: tasks, Redis, a cache and signatures.

queue         enqueues tasks so that a missing broker delays them and raises no error
shared_redis  runs a command on Redis, or says that Redis is unavailable
shared_cache  keeps an expensive answer, and renews it while the old one is served
signing       signs many values with one salt and secret
"""
