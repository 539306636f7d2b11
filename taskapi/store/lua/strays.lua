#!lua flags=allow-oom
-- Looks at records that may lie twice, at tombstones and at marks that nobody would find; puts each right for itself.
-- The newer of two texts is the record. What PostgreSQL may not have is marked dirty: to carry it twice is safe.
--
-- KEYS  none.
-- ARGV  1 to put right, 0 to look only; then kind:id …
-- returns {"unverified"} | {"looked", kind:id, "twice" | "risen" | "tombstone" | "mark", …}
local meta, write = redis.call('HMGET', 'meta', 'state', 'run'), ARGV[1] == '1'
if write and (meta[1] ~= 'ready' or meta[2] ~= string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')) then
  return {'unverified'}
end
local clock = redis.call('TIME')
local now = string.format('%.0f', tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000))
local function version_at(key)
  local blob = redis.call('GET', key)
  return blob and tonumber(string.match(blob, '"version":(%d+)}$') or 0)
end
local answer = {'looked'}
for index = 2, #ARGV do
  local name, problem = ARGV[index], nil
  local live, trash, purged = version_at(name), version_at('trash:' .. name), version_at('purged:' .. name)
  local mark, since = redis.call('ZSCORE', 'dirty', name), redis.call('ZSCORE', 'dirty:since', name)
  local held = math.max(live or -1, trash or -1)
  if live and trash then
    problem = 'twice'
    if write then redis.call('DEL', live < trash and name or 'trash:' .. name) end
  end
  if held >= 0 and purged then
    problem = 'risen'
    if write and held > purged then redis.call('DEL', 'purged:' .. name)
    elseif write then redis.call('DEL', name, 'trash:' .. name) end
  end
  local newest = math.max(held, purged or -1)
  if (mark and not since) or (since and not mark) then problem = problem or 'mark'
  elseif held < 0 and purged and not mark and redis.call('HEXISTS', 'quarantine', name) == 0 then
    problem = 'tombstone'
  end
  if write and (problem == 'twice' or problem == 'risen') then redis.call('HINCRBY', 'stamps', 'every', 1) end
  if problem then
    answer[#answer + 1], answer[#answer + 2] = name, problem
    if write and newest >= 0 then
      redis.call('ZADD', 'dirty', string.format('%.0f', newest), name)
      redis.call('ZADD', 'dirty:since', 'NX', now, name)
    elseif write then redis.call('ZREM', 'dirty', name) redis.call('ZREM', 'dirty:since', name) end
  end
end
return answer
