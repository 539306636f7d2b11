#!lua flags=allow-oom
-- Drops what a restore has left in the database beside: what it built, or what it replaced.
--
-- KEYS  none.
-- ARGV  token of the restore; number of this database; of the one beside
-- returns 1, or 0 if nothing of that restore lies there
local dropped = 0
if not redis.pcall('SELECT', ARGV[3]).err then
  local found = redis.call('HMGET', 'meta', 'state', 'restorer')
  if (found[1] == 'staging' or found[1] == 'replaced') and found[2] == ARGV[1] then
    redis.call('FLUSHDB', 'ASYNC')
    dropped = 1
  end
  redis.call('SELECT', ARGV[2])
end
local meta = redis.call('HMGET', 'meta', 'state', 'restorer')
if meta[1] == 'ready' and meta[2] == ARGV[1] then redis.call('HDEL', 'meta', 'restorer', 'wiper') end
return dropped
