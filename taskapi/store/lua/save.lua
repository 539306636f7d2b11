#!lua
-- The only way to change records: everything is checked first, and only then written, in one step.
--
-- KEYS    none: all keys are made by store/keys.py and stand in ARGV, or are listed there.
-- ARGV    read in order by take(); see store/plans.py, which writes them:
--           operation id key, its life in ms, fingerprint, 1 to keep the answer's text
--           1 if it only makes room: such a save is welcome when there is none
--           actor, time, request id
--           answer to remember if there are no changes: "kind id version", then the record on a line of its own
--           session keys that must exist:      count, key …
--           guards:                            count, (record key, version, or "" for any) …
--           names that must not be leaving:    count, name …
--           name that this save is itself the sweep of, or "", and the account of that sweep
--           names that leave from now on:      count, (name, account, or "" where the sweep is done) …
--           counters that must say this:       count, (hash and field, or sorted set and "" for its size, number) …
--           users whose sessions end:          count, user id …
--           changes:                           count, then for each
--             kind, id (for a new one: "" the next of its kind, "=" that of the change before),
--             state before ("new" or the key prefix), version before, prefix now, middle of the JSON,
--             action, journaled fields,
--             claims:   count, (unique hash, value) …     releases: the same
--             leaves:   count, sorted set …               enters:   count, (sorted set, score or "") …
--             counts:   count, (hash, field, difference) …
--             stamps:   count, scope that sees it before or after …
-- returns {"saved", id, version, …}          a pair for each change
--         {"again", answer}                  this operation was done before; in lines: its fingerprint; kind, id
--                                            and version of each change; the first record, if it is kept
--         {"unverified"} {"restoring"} {"session"} {"guard", key} {"leaving", key} {"missing", key} {"moved", key}
--         {"taken", unique hash} {"ids", kind} {"full", what is} {"swept", name}
--                                            refused: nothing was written
--> take
--> indexes
local function version_of(blob) return string.match(blob, '"version":(%d+)}$') end
local function text(number) return string.format('%.0f', number) end

local meta = redis.call('HMGET', 'meta', 'state', 'run', 'full')
local is_known = meta[2] == string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
if meta[1] == 'restoring' and is_known then return {'restoring'} end
if meta[1] ~= 'ready' or not is_known then return {'unverified'} end

local operation, life, fingerprint, keep = take(), take(), take(), take()
local done = redis.call('GET', operation)
if done then return {'again', done} end
if take() ~= '1' and meta[3] then return {'full', meta[3]} end

local actor, moment, request, preset = take(), take(), take(), take()
for _, row in ipairs(take_all(1)) do
  if redis.call('EXISTS', row[1]) == 0 then return {'session'} end
end
local guards, absent, own, account = take_all(2), take_all(1), take(), take()
-- A worker that stood still may come with what a sweep had to do that is over.
if own ~= '' and redis.call('HGET', 'leaving', own) ~= account then return {'swept', own} end
-- One sweep does not wait for another: two that did would wait for ever.
local leaving, refusing = take_all(2), own == '' and redis.call('HLEN', 'leaving') > 0
local function is_leaving(name) return refusing and redis.call('HEXISTS', 'leaving', name) == 1 end
for _, row in ipairs(guards) do
  local blob = redis.call('GET', row[1])
  if not blob or (row[2] ~= '' and version_of(blob) ~= row[2]) then return {'guard', row[1]} end
  if is_leaving(row[1]) then return {'leaving', row[1]} end
end
for _, row in ipairs(absent) do
  if is_leaving(row[1]) then return {'leaving', row[1]} end
end
for _, row in ipairs(take_all(3)) do
  local found = row[2] == '' and text(redis.call('ZCARD', row[1])) or redis.call('HGET', row[1], row[2]) or '0'
  if found ~= row[3] then return {'guard', row[1]} end
end
local ended = take_all(1)

-- Check every change before the first write.
local changes, given, claimed = {}, {}, {}
for index = 1, tonumber(take()) do
  local change = {kind = take(), id = take(), before = take(), version = take(), now = take(),
                  middle = take(), action = take(), fields = take(), indexes = take_indexes(), stamps = take_all(1)}
  local last = given[change.kind] or tonumber(redis.call('HGET', 'ids', change.kind) or 0)
  if change.id == '' then
    local ceiling = tonumber(redis.call('HGET', 'ids', change.kind .. ':ceiling') or 0)
    if last >= ceiling then return {'ids', change.kind} end
    given[change.kind] = last + 1
    change.id = text(last + 1)
  elseif change.id == '=' then
    change.id = changes[index - 1].id
  elseif change.before == 'new' and tonumber(change.id) > last then
    given[change.kind] = tonumber(change.id)
  end
  change.name = change.kind .. ':' .. change.id
  if change.before ~= 'new' then
    local key = change.before .. change.name
    local blob = redis.call('GET', key)
    if not blob then return {'missing', key} end
    if version_of(blob) ~= change.version then return {'moved', key} end
  elseif redis.call('EXISTS', change.name, 'trash:' .. change.name) > 0 then
    return {'moved', change.name}
  end
  for _, claim in ipairs(change.indexes.claims) do
    local holder = redis.call('HGET', claim[1], claim[2])
    local slot = claim[1] .. '\0' .. claim[2]
    if (holder and holder ~= change.id) or (claimed[slot] and claimed[slot] ~= change.id) then
      return {'taken', claim[1]}
    end
    claimed[slot] = change.id
  end
  changes[index] = change
end

-- From here on nothing may fail.
local clock = redis.call('TIME')
local since = text(tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000))
local version = redis.call('HINCRBY', 'meta', 'version', #changes) - #changes
local answer, done_now, first, stamped = {'saved'}, {}, nil, {}
-- What its client named can be brought back from the journal: see store/operations.py.
local named = keep == '1' and operation .. ' ' .. fingerprint or operation
for kind, last in pairs(given) do redis.call('HSET', 'ids', kind, text(last)) end
for _, change in ipairs(changes) do
  version = version + 1
  local stamp, id, name = text(version), change.id, change.name
  redis.call('XADD', 'journal', stamp .. '-0', 'kind', change.kind, 'id', id, 'action', change.action,
             'actor', actor, 'at', moment, 'request', request, 'op', named, 'fields', change.fields)
  local blob = '{"id":' .. id .. ',' .. change.middle .. ',"version":' .. stamp .. '}'
  if change.before ~= 'new' and change.before ~= change.now then redis.call('DEL', change.before .. name) end
  redis.call('SET', change.now .. name, blob)
  move_in_indexes(id, change.indexes)
  if change.now == 'trash:' then redis.call('ZADD', 'trashed', since, name)
  elseif change.before == 'trash:' then redis.call('ZREM', 'trashed', name) end
  redis.call('ZADD', 'dirty', stamp, name)
  redis.call('ZADD', 'dirty:since', 'NX', since, name)
  for _, row in ipairs(change.stamps) do stamped[row[1]] = stamp end
  answer[#answer + 1], answer[#answer + 2] = id, stamp
  done_now[#done_now + 1] = change.kind .. ' ' .. id .. ' ' .. stamp
  first = first or blob
end
local flat = {}
for scope, stamp in pairs(stamped) do flat[#flat + 1], flat[#flat + 2] = scope, stamp end
for from = 1, #flat, 4000 do redis.call('HSET', 'stamps', unpack(flat, from, math.min(from + 3999, #flat))) end
for _, row in ipairs(leaving) do
  if row[2] == '' then redis.call('HDEL', 'leaving', row[1])
  else redis.call('HSET', 'leaving', row[1], row[2]) end
end
for _, row in ipairs(ended) do
  for _, session in ipairs(redis.call('ZRANGE', 'sessions:' .. row[1], 0, -1)) do
    redis.call('DEL', 'session:' .. row[1] .. ':' .. session)
  end
  redis.call('DEL', 'sessions:' .. row[1])
end
local remembered = fingerprint .. '\n' .. (#changes == 0 and preset or table.concat(done_now, ' '))
if keep ~= '1' then
  redis.call('SET', operation, remembered, 'PX', life)
  return answer
end
if first and #first <= 16384 then remembered = remembered .. '\n' .. first end
redis.call('SET', operation, remembered, 'PX', life)
-- Whole answers are kept for the last thousand of a caller; of older ones what was written, but not the record.
local shelf = 'kept:' .. actor
redis.call('ZADD', shelf, since, operation)
redis.call('PEXPIRE', shelf, life)
for _, old in ipairs(redis.call('ZRANGE', shelf, 0, -1001)) do
  local short = string.match(redis.call('GET', old) or '', '^[^\n]*\n[^\n]*')
  if short then redis.call('SET', old, short, 'XX', 'KEEPTTL') end
  redis.call('ZREM', shelf, old)
end
return answer
