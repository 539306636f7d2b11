#!lua flags=allow-oom
-- Freezes an open Redis for a restore: it is read on, and nobody writes; or lets it go again.
--
-- KEYS  none.
-- ARGV  token of the restore; "freeze" or "thaw"
-- returns the last version given, or -1, with nothing changed, if it is not open, or not frozen by that restore
local meta = redis.call('HMGET', 'meta', 'state', 'run', 'version', 'restorer')
if meta[2] ~= string.match(redis.call('INFO', 'server'), 'run_id:(%x+)') then return -1 end
if ARGV[2] == 'freeze' then
  local is_again = meta[1] == 'restoring' and meta[4] == ARGV[1]
  if meta[1] ~= 'ready' and not is_again then return -1 end
  redis.call('HSET', 'meta', 'state', 'restoring', 'restorer', ARGV[1])
else
  if meta[1] ~= 'restoring' or meta[4] ~= ARGV[1] then return -1 end
  redis.call('HSET', 'meta', 'state', 'ready')
  redis.call('HDEL', 'meta', 'restorer')
end
return tonumber(meta[3] or 0)
