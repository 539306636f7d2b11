-- Moves a record in what is derived from it: rows as store/plans.py lists them for save.lua and place.lua.
local function take_indexes()
  return {claims = take_all(2), releases = take_all(2), leaves = take_all(1), enters = take_all(2), counts = take_all(3)}
end
local function move_in_indexes(id, moves)
  for _, row in ipairs(moves.releases) do
    if redis.call('HGET', row[1], row[2]) == id then redis.call('HDEL', row[1], row[2]) end
  end
  for _, row in ipairs(moves.claims) do redis.call('HSET', row[1], row[2], id) end
  for _, row in ipairs(moves.leaves) do redis.call('ZREM', row[1], id) end
  for _, row in ipairs(moves.enters) do redis.call('ZADD', row[1], row[2] == '' and id or row[2], id) end
  for _, row in ipairs(moves.counts) do
    if redis.call('HINCRBY', row[1], row[2], row[3]) == 0 then redis.call('HDEL', row[1], row[2]) end
  end
end
