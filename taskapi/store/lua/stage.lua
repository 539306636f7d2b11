#!lua
-- The database beside this one as the place where a restore builds: empty, or left by an earlier restore.
--
-- KEYS  none.
-- ARGV  number of this database; of the one beside; token of the restore to take it, or "" to only look
-- returns 1 | 0 another restore or admission was faster | -1 others have something there | -2 there is none
local meta = redis.call('HMGET', 'meta', 'state', 'restorer', 'incarnation')
if ARGV[3] ~= '' and (meta[1] ~= 'restoring' or meta[2] ~= ARGV[3]) then return 0 end
if redis.pcall('SELECT', ARGV[2]).err then return -2 end
local filled = redis.call('DBSIZE') > 0
local found = redis.call('HMGET', 'meta', 'state', 'incarnation')
local is_ours = (found[1] == 'staging' or found[1] == 'replaced') and found[2] == meta[3]
if filled and not is_ours then return -1 end
if ARGV[3] ~= '' then
  if filled then redis.call('FLUSHDB', 'ASYNC') end
  redis.call('HSET', 'meta', 'state', 'staging', 'incarnation', meta[3], 'restorer', ARGV[3],
             'home', ARGV[1], 'here', ARGV[2])
end
return 1
