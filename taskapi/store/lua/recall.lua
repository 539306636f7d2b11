#!lua flags=allow-oom
-- Puts back what clients have named, while Redis is not open: what it knows better itself stays.
--
-- KEYS  none.
-- ARGV  (operation key, answer without the record, life in ms) …
-- returns how many were put back: none if Redis is open
local state, done = redis.call('HGET', 'meta', 'state'), 0
if state == 'ready' or state == 'restoring' then return 0 end
for index = 1, #ARGV, 3 do
  if redis.call('SET', ARGV[index], ARGV[index + 1], 'PX', ARGV[index + 2], 'NX') then done = done + 1 end
end
return done
