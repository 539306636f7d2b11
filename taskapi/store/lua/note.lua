#!lua flags=allow-oom
-- Notes a flush that went well.
--
-- KEYS  none.
-- ARGV  time; rows that it carried
-- returns 1
redis.call('HSET', 'sync', 'last_sync', ARGV[1])
redis.call('HINCRBY', 'sync', 'sync_count', 1)
redis.call('HINCRBY', 'sync', 'rows_synced', ARGV[2])
return 1
