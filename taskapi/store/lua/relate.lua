#!lua flags=allow-oom
-- Adds to the journal what PostgreSQL has of it, while Redis is not open: only behind what is there.
--
-- KEYS  none.
-- ARGV  (version, kind, record id, action, actor, time, request id, operation, fields) …
-- returns how many were added: none if Redis is open
local state, added = redis.call('HGET', 'meta', 'state'), 0
if state == 'ready' or state == 'restoring' then return 0 end
local last = redis.call('XREVRANGE', 'journal', '+', '-', 'COUNT', 1)[1]
local behind = last and tonumber(string.match(last[1], '%d+')) or 0
for index = 1, #ARGV, 9 do
  if tonumber(ARGV[index]) > behind then
    redis.call('XADD', 'journal', ARGV[index] .. '-0', 'kind', ARGV[index + 1], 'id', ARGV[index + 2],
               'action', ARGV[index + 3], 'actor', ARGV[index + 4], 'at', ARGV[index + 5],
               'request', ARGV[index + 6], 'op', ARGV[index + 7], 'fields', ARGV[index + 8])
    added = added + 1
  end
end
return added
