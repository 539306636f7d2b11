#!lua flags=allow-oom
-- The one question that a request asks: who is this, may they call now, and what is stored there?
-- Writes nothing but the caller's limits, and those in memory only: never in the AOF, on no replica.
--
-- KEYS    none.
-- ARGV    read in order by take(); see store/reading.py, which writes them:
--           session key or ""; caller's user id or "0"
--           limits:  count, (calls, period in ms) …     none: not counted
--           records: count, key …
--           look-up: unique hash and value, or "" and "": the record of that holder, prefixed by
--           prefixes: count, key prefix …
--           hashes:  count, key …
--           sizes:   count, (sorted set, lowest and highest score) …
--           list:    "none" | "merge" | "range" | "union" | "ids", and then
--             prefix of the records' keys, 1 for descending, last id seen or "", offset, how many,
--             (how many 0: a range is only counted)
--             merge, range: scopes ("all", or: spread prefix, count, group …, user or "", count, (user, group) …),
--                           suffixes: count, suffix …,       range: lowest and highest score
--             union: count, sorted set …    ids: count, id …
-- returns {"unverified"} | {"over"} the session has ended | {"limited", ms to wait}
--         {"ok", calls left, ms until all are back, records, holder's records, hashes, sizes, leaving, total, list}
--> take
local function column(rows)
  local found = {}
  for index, row in ipairs(rows) do found[index] = row[1] end
  return found
end
local function text(number) return string.format('%.0f', number) end

local state = redis.call('HGET', 'meta', 'state')
if state ~= 'ready' and state ~= 'restoring' then return {'unverified'} end
local session, user = take(), take()
if session ~= '' and redis.call('EXISTS', session) == 0 then return {'over'} end

-- A bucket is one number: the moment, in µs, at which it will be full again.
local left, full, limits = -1, 0, take_all(2)
if #limits > 0 then
  local clock = redis.call('TIME')
  local now, moved, wait = tonumber(clock[1]) * 1000000 + tonumber(clock[2]), {}, 0
  for _, limit in ipairs(limits) do
    local field, period = user .. ':' .. limit[1] .. ':' .. limit[2], tonumber(limit[2]) * 1000
    local step = period / tonumber(limit[1])
    local known = math.min(tonumber(redis.call('HGET', 'limits', field) or 0), now + period)
    local next_full = math.max(known, now) + step
    local room = now + period - next_full
    if room < -0.5 then wait = math.max(wait, -room) end
    local remaining = math.floor((room + 0.5) / step)
    if left < 0 or remaining < left then left, full = remaining, next_full - now end
    moved[#moved + 1], moved[#moved + 2] = field, text(next_full)
  end
  if wait > 0 then return {'limited', math.ceil(wait / 1000)} end
  redis.set_repl(redis.REPL_NONE)
  redis.call('HSET', 'limits', unpack(moved))
end

local wanted, records = column(take_all(1)), {}
if #wanted > 0 then records = redis.call('MGET', unpack(wanted)) end
local unique, value, held = take(), take(), {}
local prefixes = column(take_all(1))
if unique ~= '' then
  local holder = redis.call('HGET', unique, value)
  if holder then
    for index, prefix in ipairs(prefixes) do prefixes[index] = prefix .. holder end
    held = redis.call('MGET', unpack(prefixes))
  end
end

local hashes, sizes = column(take_all(1)), take_all(3)
for index, key in ipairs(hashes) do hashes[index] = redis.call('HGETALL', key) end
for index, row in ipairs(sizes) do sizes[index] = redis.call('ZCOUNT', unpack(row)) end

local leaving, kind_of_list = redis.call('HKEYS', 'leaving'), take()
if kind_of_list == 'none' then
  return {'ok', left, math.ceil(full / 1000), records, held, hashes, sizes, leaving, 0, {}}
end

-- What a cascade is sweeping is gone already: no list reads it, no total counts it.
local is_leaving = {}
for _, name in ipairs(leaving) do is_leaving[name] = true end
local function is_gone(user, group)
  return is_leaving['user:' .. user] or is_leaving['group:' .. group] or is_leaving['member:' .. user .. ':' .. group]
end
local function scopes_in(first)
  if first == 'all' then return {'all'} end
  local found, inside = {}, {}
  for _, row in ipairs(take_all(1)) do
    inside[row[1]] = true
    if not is_leaving['group:' .. row[1]] then found[#found + 1] = 'g' .. row[1] end
  end
  local own = take()
  if own ~= '' then
    for _, group in ipairs(redis.call('HKEYS', first .. 'u' .. own)) do
      if not inside[group] and not is_gone(own, group) then found[#found + 1] = 'u' .. own .. ':g' .. group end
    end
  end
  for _, row in ipairs(take_all(2)) do
    if not is_gone(row[1], row[2]) then found[#found + 1] = 'u' .. row[1] .. ':g' .. row[2] end
  end
  return found
end
-- How many of a list's records are of parents that are leaving.
local function gone_of(scope, suffix)
  local gone = 0
  for _, name in ipairs(leaving) do
    local kind, user, group = string.match(name, '^(%a+):(%d+):?(%d*)$')
    local scopes = {}
    if kind == 'group' and scope == 'all' then scopes = {'g' .. user}
    elseif kind == 'member' and (scope == 'all' or scope == 'g' .. group) then scopes = {'u' .. user .. ':g' .. group}
    elseif kind == 'user' and string.sub(scope, 1, 1) == 'g' then scopes = {'u' .. user .. ':' .. scope}
    elseif kind == 'user' and scope == 'all' then
      for _, each in ipairs(redis.call('HKEYS', 'spread:u' .. user)) do
        scopes[#scopes + 1] = 'u' .. user .. ':g' .. each
      end
    end
    for _, each in ipairs(scopes) do gone = gone + redis.call('ZCARD', 'tasks:' .. each .. ':' .. suffix) end
  end
  return gone
end
local function lists()
  local found, gone, scopes = {}, 0, scopes_in(take())
  for _, suffix in ipairs(column(take_all(1))) do
    for _, scope in ipairs(scopes) do
      local key = 'tasks:' .. scope .. ':' .. suffix
      local size = redis.call('ZCARD', key)
      if size > 0 then found[#found + 1] = {key = key, size = size} end
      if #leaving > 0 and suffix ~= 'trash' then gone = gone + gone_of(scope, suffix) end
    end
  end
  return found, gone
end
local function page_of(ids, descending, after, offset, count)
  table.sort(ids, function(a, b) if descending then return a > b end return a < b end)
  local chosen, skipped = {}, 0
  for _, id in ipairs(ids) do
    if not after or (descending and id < after) or (not descending and id > after) then
      skipped = skipped + 1
      if skipped > offset then chosen[#chosen + 1] = id end
      if #chosen == count then break end
    end
  end
  return chosen
end
-- Where a far page begins: an id, and how many more to pass by, guessed in proportion and by halves in turn:
-- a far page costs about what a near one does.
local function skip(sets, descending, offset, total)
  local last = 0
  for _, set in ipairs(sets) do last = math.max(last, tonumber(redis.call('ZRANGE', set.key, -1, -1)[1])) end
  local low, before_low, high, before_high, by_halves = 0, 0, last + 1, total, false
  local function id_at(place) return descending and last + 1 - place or place end
  while high - low > 1 and offset - before_low > 64 do
    local share = by_halves and 0.5 or (offset - before_low) / (before_high - before_low)
    local middle = math.min(math.max(low + math.floor((high - low) * share), low + 1), high - 1)
    local before = 0
    for _, set in ipairs(sets) do
      if descending then before = before + redis.call('ZCOUNT', set.key, text(id_at(middle)), '+inf')
      else before = before + redis.call('ZCOUNT', set.key, '-inf', text(id_at(middle))) end
    end
    if before <= offset then low, before_low = middle, before else high, before_high = middle, before end
    by_halves = not by_halves
  end
  if low == 0 then return nil, offset end
  return id_at(low), offset - before_low
end
-- Reads a piece of each list, and more of those that end too early, until the first `count` ids are certain.
local function merged(sets, descending, after, count)
  local piece = math.ceil(count / #sets) + 4
  if #sets == 1 then piece = count end
  local ids, horizon = {}, nil
  for _, set in ipairs(sets) do set.last = after end
  while true do
    horizon = nil
    for _, set in ipairs(sets) do
      if not set.done and (set.far == nil or set.near) then
        local from = set.last and ('(' .. text(set.last)) or (descending and '+inf' or '-inf')
        local got
        if descending then got = redis.call('ZRANGE', set.key, from, '-inf', 'BYSCORE', 'REV', 'LIMIT', 0, piece)
        else got = redis.call('ZRANGE', set.key, from, '+inf', 'BYSCORE', 'LIMIT', 0, piece) end
        for _, id in ipairs(got) do ids[#ids + 1] = tonumber(id) end
        set.done = #got < piece
        set.far = true
        if #got > 0 then set.last = tonumber(got[#got]) end
      end
      if not set.done and (horizon == nil or (descending and set.last > horizon)
                           or (not descending and set.last < horizon)) then
        horizon = set.last
      end
    end
    local certain = 0
    for _, id in ipairs(ids) do
      if horizon == nil or (descending and id >= horizon) or (not descending and id <= horizon) then
        certain = certain + 1
      end
    end
    if horizon == nil or certain >= count then return page_of(ids, descending, nil, 0, count) end
    for _, set in ipairs(sets) do set.near = set.last == horizon end
    piece = piece * 2
  end
end

local total, chosen, prefix = 0, {}, take()
local descending, after, offset, count = take() == '1', tonumber(take()), tonumber(take()), tonumber(take())
if kind_of_list == 'merge' then
  local sets, gone = lists()
  for _, set in ipairs(sets) do total = total + set.size end
  if offset < total and count > 0 then
    local passed = 0
    if offset > 0 then after, passed = skip(sets, descending, offset, total) end
    chosen = merged(sets, descending, after, count + passed)
    for _ = 1, passed do table.remove(chosen, 1) end
  end
  total = math.max(0, total - gone)
elseif kind_of_list == 'union' then
  local sets, ids = column(take_all(1)), {}
  if #sets == 1 and not descending then
    -- One list alone is in order already, and costs by the page.
    total = redis.call('ZCARD', sets[1])
    local from = after and ('(' .. text(after)) or '-inf'
    chosen = redis.call('ZRANGE', sets[1], from, '+inf', 'BYSCORE', 'LIMIT', offset, count)
  elseif #sets > 0 then
    for _, id in ipairs(redis.call('ZUNION', #sets, unpack(sets))) do ids[#ids + 1] = tonumber(id) end
    total, chosen = #ids, page_of(ids, descending, after, offset, count)
  end
else
  local ids = {}
  if kind_of_list == 'range' then
    local sets, lowest, highest = lists(), take(), take()
    for _, set in ipairs(sets) do
      if count == 0 then total = total + redis.call('ZCOUNT', set.key, lowest, highest)
      else
        for _, id in ipairs(redis.call('ZRANGE', set.key, lowest, highest, 'BYSCORE')) do
          ids[#ids + 1] = tonumber(id)
        end
      end
    end
  else
    for _, row in ipairs(take_all(1)) do
      if redis.call('EXISTS', prefix .. row[1]) == 1 then ids[#ids + 1] = tonumber(row[1]) end
    end
  end
  total, chosen = total + #ids, page_of(ids, descending, after, offset, count)
end
local page = {}
if #chosen > 0 then
  for index, id in ipairs(chosen) do chosen[index] = prefix .. text(id) end
  page = redis.call('MGET', unpack(chosen))
end
return {'ok', left, math.ceil(full / 1000), records, held, hashes, sizes, leaving, total, page}
