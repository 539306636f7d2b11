#!lua flags=no-writes
-- The tasks that PostgreSQL does not have as they are: dirty ones, and those that it refused.
--
-- KEYS  none.
-- ARGV  how many marks may be looked through
-- returns {"unverified"} | {"ok", marks in all, {kind:id of a task …}}; with more marks than that, no names; while a
--         restore goes on, one more than that: PostgreSQL may have gone back already
local state = redis.call('HGET', 'meta', 'state')
if state ~= 'ready' and state ~= 'restoring' then return {'unverified'} end
if state == 'restoring' then return {'ok', tonumber(ARGV[1]) + 1, {}} end
local marks = redis.call('ZCARD', 'dirty') + redis.call('HLEN', 'quarantine')
local found = {}
if marks <= tonumber(ARGV[1]) then
  for _, names in ipairs({redis.call('ZRANGE', 'dirty', 0, -1), redis.call('HKEYS', 'quarantine')}) do
    for _, name in ipairs(names) do
      if string.sub(name, 1, 5) == 'task:' then found[#found + 1] = name end
    end
  end
end
return {'ok', marks, found}
