#!lua flags=allow-oom
-- After a commit to PostgreSQL: clears the marks of what was written and has not moved since.
--
-- KEYS  none.
-- ARGV  epoch of the peek; window of the journal; highest version of the journal that was carried, or "0";
--       number of the commit; then (kind:id, version written) …
-- returns {settled, moved}, or {-1} if the epoch has changed or an admission is under way: then nothing is touched
--> known
local meta = redis.call('HMGET', 'meta', 'epoch', 'state')
if meta[1] ~= ARGV[1] or (meta[2] ~= 'ready' and meta[2] ~= 'restoring') then return {-1} end
local window, carried = tonumber(ARGV[2]), tonumber(ARGV[3])
local clock = redis.call('TIME')
local now = string.format('%.0f', tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000))
local settled, moved, highest = 0, 0, carried
-- What was refused in a version above the one written stays in quarantine: another flush was faster.
local function release(names, first)
  if redis.call('EXISTS', 'quarantine') == 0 then return end
  local free = {}
  for position, account in ipairs(redis.call('HMGET', 'quarantine', unpack(names))) do
    local version = account and tonumber(string.match(account, '"version":(%d+)') or 0)
    if version and version <= tonumber(ARGV[first + 2 * position - 1]) then free[#free + 1] = names[position] end
  end
  if #free > 0 then redis.call('HDEL', 'quarantine', unpack(free)) end
end
-- A thousand at a time, in few commands: each command is a line of the AOF.
local function settle(first, last)
  local names, clean, tombstones, later = {}, {}, {}, {}
  for index = first, last, 2 do names[#names + 1] = ARGV[index] end
  local marks = redis.call('ZMSCORE', 'dirty', unpack(names))
  for position, name in ipairs(names) do
    local version, mark = tonumber(ARGV[first + 2 * position - 1]), tonumber(marks[position] or -1)
    highest = math.max(highest, version)
    if mark == version then
      clean[#clean + 1], tombstones[#tombstones + 1] = name, 'purged:' .. name
    elseif mark >= 0 then
      -- What is dirty now was changed after the peek: it queues up behind the others.
      later[#later + 1], later[#later + 2] = now, name
    end
  end
  release(names, first)
  if #clean > 0 then
    redis.call('ZREM', 'dirty', unpack(clean))
    redis.call('ZREM', 'dirty:since', unpack(clean))
    redis.call('DEL', unpack(tombstones))
  end
  if #later > 0 then redis.call('ZADD', 'dirty:since', 'XX', unpack(later)) end
  settled, moved = settled + #clean, moved + #later / 2
end
for first = 5, #ARGV, 2000 do settle(first, math.min(first + 1999, #ARGV)) end
raise('meta', 'settled', highest)
raise('meta', 'carried', carried)
raise('meta', 'commits', tonumber(ARGV[4]))
-- By number, as versions leap with each epoch: at most as many lines are not carried as versions were given since.
local known = redis.call('HMGET', 'meta', 'version', 'carried')
local waiting = math.max(0, tonumber(known[1] or 0) - tonumber(known[2] or 0))
redis.call('XTRIM', 'journal', 'MAXLEN', string.format('%.0f', window + waiting))
return {settled, moved}
