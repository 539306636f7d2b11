#!lua
-- Takes keys along, as they are, into the database where a restore builds.
--
-- KEYS  none.
-- ARGV  token of the restore; number of the other database; key …
-- returns how many, or -1 if another restore or an admission was faster
local meta = redis.call('HMGET', 'meta', 'state', 'restorer')
if meta[1] ~= 'restoring' or meta[2] ~= ARGV[1] then return -1 end
local taken = 0
for index = 3, #ARGV do
  taken = taken + redis.call('COPY', ARGV[index], ARGV[index], 'DB', ARGV[2], 'REPLACE')
end
return taken
