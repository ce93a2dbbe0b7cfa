--[[
  Appends events to the log, all or none.

  KEYS[1] events (stream)   KEYS[2] scopes (hash: scope -> position)   KEYS[3] idempotency (string)
  ARGV[1] position that the decision read    ARGV[2] lifetime of the idempotency key, in ms
  ARGV[3] number of scopes n                 ARGV[4 .. 3+n] the scopes
  ARGV[4+n ..] bodies of the events

  Output: {'appended', first, last} | {'duplicate', first, last} | {'conflict', scope}

  Ids are '<position>-0' with dense positions. An entry has one field, 'e': '<at> <hash> <body>', where
  hash = sha1(hash before .. at .. body), so that an entry vouches for all entries before it.
]]
local done = redis.call('GET', KEYS[3])
if done then
  local first, last = string.match(done, '^(%d+)-(%d+)$')
  return {'duplicate', first, last}
end

local scopes = tonumber(ARGV[3])
for i = 4, 3 + scopes do
  local moved = redis.call('HGET', KEYS[2], ARGV[i])
  if moved and tonumber(moved) > tonumber(ARGV[1]) then return {'conflict', ARGV[i]} end
end

-- What somebody wrote into the stream by hand has no hash: the chain goes on from before it.
local form = '^[^ ]+ ([^ ]+) '
local position, hash, from, count = 0, '', '+', 1
while from do
  local entries = redis.call('XREVRANGE', KEYS[1], from, '-', 'COUNT', count)
  if from == '+' and entries[1] then position = tonumber(string.match(entries[1][1], '^(%d+)-')) end
  from = #entries == count and '(' .. entries[#entries][1] or nil
  for _, entry in ipairs(entries) do
    local found = #entry[2] == 2 and entry[2][1] == 'e' and string.match(entry[2][2], form)
    if found and #found == 40 then
      hash, from = found, nil
      break
    end
  end
  count = 100
end

local time = redis.call('TIME')
local at = string.format('%d.%03d', time[1] * 1000 + math.floor(time[2] / 1000), time[2] % 1000)
local first = position + 1
for i = 4 + scopes, #ARGV do
  position = position + 1
  hash = redis.sha1hex(hash .. at .. ARGV[i])
  redis.call('XADD', KEYS[1], string.format('%d-0', position), 'e', at .. ' ' .. hash .. ' ' .. ARGV[i])
end
for i = 4, 3 + scopes do redis.call('HSET', KEYS[2], ARGV[i], string.format('%d', position)) end
redis.call('SET', KEYS[3], string.format('%d-%d', first, position), 'PX', ARGV[2])
return {'appended', string.format('%d', first), string.format('%d', position)}
