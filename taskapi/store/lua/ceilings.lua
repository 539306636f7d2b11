#!lua flags=allow-oom
-- After a commit to PostgreSQL: lets ids be given up to what was leased there.
--
-- KEYS  none.
-- ARGV  epoch of the lease; number of its commit; then (kind, ceiling) …
-- returns 1, or 0 if the epoch has changed or an admission is under way: then nothing is touched
--> known
local meta = redis.call('HMGET', 'meta', 'epoch', 'state')
if meta[1] ~= ARGV[1] or (meta[2] ~= 'ready' and meta[2] ~= 'restoring') then return 0 end
for index = 3, #ARGV, 2 do raise('ids', ARGV[index] .. ':ceiling', tonumber(ARGV[index + 1])) end
raise('meta', 'commits', tonumber(ARGV[2]))
return 1
