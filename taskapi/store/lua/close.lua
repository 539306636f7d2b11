#!lua flags=allow-oom
-- Refuses every read and write from now on, until the next admission.
--
-- KEYS  none.
-- ARGV  none.
-- returns 1
redis.call('HSET', 'meta', 'state', 'closed')
return 1
