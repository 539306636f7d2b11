#!lua flags=allow-oom
-- Takes away what an admission is about to fill anew from PostgreSQL, after a restore that was not finished.
--
-- KEYS  none.
-- ARGV  token of the restore; token of who wipes; 1 for the first call, which keeps out whoever wiped before;
--       key …
-- returns 1, or 0, with nothing changed, if Redis is open or another was faster
local meta = redis.call('HMGET', 'meta', 'state', 'restorer', 'wiper')
if meta[1] ~= 'closed' or meta[2] ~= ARGV[1] then return 0 end
if ARGV[3] == '1' then redis.call('HSET', 'meta', 'wiper', ARGV[2])
elseif meta[3] ~= ARGV[2] then return 0 end
for index = 4, #ARGV do redis.call('UNLINK', ARGV[index]) end
return 1
