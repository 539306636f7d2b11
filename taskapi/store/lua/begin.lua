#!lua flags=allow-oom
-- Begins an admission: the server says whose it is, and stays closed until open.lua.
--
-- KEYS  none.
-- ARGV  run id the admission is for; incarnation; 1 to close it even though it was admitted before
-- returns 1, or 0 if the server has restarted meanwhile, or was admitted by another
if string.match(redis.call('INFO', 'server'), 'run_id:(%x+)') ~= ARGV[1] then return 0 end
local meta = redis.call('HMGET', 'meta', 'state', 'run')
if meta[1] == 'ready' and meta[2] == ARGV[1] and ARGV[3] ~= '1' then return 0 end
redis.call('HSETNX', 'meta', 'incarnation', ARGV[2])
redis.call('HSET', 'meta', 'state', 'closed')
return 1
