#!lua flags=allow-oom
-- After a commit to PostgreSQL: clears the marks of what was written and has not moved since.
--
-- KEYS  none.
-- ARGV  epoch of the peek; window of the journal; highest version of the journal that was carried, or "0";
--       then (kind:id, version written) …
-- returns {settled, moved}, or {-1} if the epoch has changed or an admission is under way: then nothing is touched
local meta = redis.call('HMGET', 'meta', 'epoch', 'state')
if meta[1] ~= ARGV[1] or meta[2] ~= 'ready' then return {-1} end
local window, carried = tonumber(ARGV[2]), tonumber(ARGV[3])
local clock = redis.call('TIME')
local now = string.format('%.0f', tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000))
local settled, moved, highest = 0, 0, carried
for index = 4, #ARGV, 2 do
  local name, version = ARGV[index], ARGV[index + 1]
  highest = math.max(highest, tonumber(version))
  redis.call('HDEL', 'quarantine', name)
  local mark = redis.call('ZSCORE', 'dirty', name)
  if mark and tonumber(mark) == tonumber(version) then
    redis.call('ZREM', 'dirty', name)
    redis.call('ZREM', 'dirty:since', name)
    redis.call('DEL', 'purged:' .. name)
    settled = settled + 1
  elseif mark then
    -- What is dirty now was changed after the peek: it queues up behind the others.
    redis.call('ZADD', 'dirty:since', 'XX', now, name)
    moved = moved + 1
  end
end
local function raise(field, value)
  if value > tonumber(redis.call('HGET', 'meta', field) or 0) then
    redis.call('HSET', 'meta', field, string.format('%.0f', value))
  end
end
raise('settled', highest)
raise('carried', carried)
local last = tonumber(redis.call('HGET', 'meta', 'version') or 0)
local keep_from = math.min(tonumber(redis.call('HGET', 'meta', 'carried') or 0), last - window)
if keep_from > 0 then redis.call('XTRIM', 'journal', 'MINID', string.format('%.0f', keep_from) .. '-0') end
return {settled, moved}
