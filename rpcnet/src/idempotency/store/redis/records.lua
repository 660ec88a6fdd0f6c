-- The records of keyed calls, in Redis: what a claim, an end and a renewal mean. One run of this script is one step to all.
--
-- KEYS[1] is the prefix of everything here. Of it:
--   meta          a hash: secret, fence, entries, bytes, clock, and until when what ended may have been forgotten
--   r:<id>        a hash, one a record: s(tate), f(ingerprint), c(aller, 0 if it proved nothing), n (its fence), t (who
--                 claimed it), g (it may have run before), e (when it ended), a(nswer)
--   running       what runs, by when its lease ends
--   ended         what has ended, by when; ended:<caller> the same of one caller
--   answers:<c>   the answers of a caller, by when; keepers: who keeps answers, by bytes; callers: how many records each has
local prefix, op = KEYS[1], ARGV[1]
local secret, given, window, lease = ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local entries_max, entries_share = tonumber(ARGV[6]), tonumber(ARGV[7])
local bytes_max, bytes_share = tonumber(ARGV[8]), tonumber(ARGV[9])
local answer_max, best_effort = tonumber(ARGV[10]), ARGV[11] == '1'
local id = ARGV[12]

local AT_ONCE = 16
local RUNS, ANSWERED, COMPLETED, UNKNOWN = '0', '1', '2', '3'

local function key(name) return prefix .. ':' .. name end
local function whole(number) return string.format('%.0f', number) end
local meta = key('meta')

local function time()
    if given ~= '' then return tonumber(given) end
    local parts = redis.call('TIME')
    return tonumber(parts[1]) * 1000 + math.floor(tonumber(parts[2]) / 1000)
end

local facts = redis.call('HMGET', meta, 'secret', 'entries', 'bytes', 'clock', 'forgotten')
local now = math.max(time(), tonumber(facts[4]) or 0)
if not facts[1] then
    -- New, or lost. What began before now may have run; and no fence is given twice, since a thousand a millisecond are not.
    facts = { secret, 0, 0, 0, now }
    redis.call('HSET', meta, 'secret', secret, 'fence', whole(now * 1000), 'entries', 0, 'bytes', 0, 'forgotten', whole(now))
elseif op ~= 'open' and facts[1] ~= secret then
    return { 'begun anew' }
end
local entries, bytes, forgotten = tonumber(facts[2]), tonumber(facts[3]), tonumber(facts[5])
redis.call('HSET', meta, 'clock', whole(now))

local function count(caller, by)
    entries = redis.call('HINCRBY', meta, 'entries', by)
    if redis.call('HINCRBY', key('callers'), caller, by) == 0 then redis.call('HDEL', key('callers'), caller) end
end

local function weigh(caller, by)
    bytes = redis.call('HINCRBY', meta, 'bytes', by)
    if tonumber(redis.call('ZINCRBY', key('keepers'), by, caller)) <= 0 then redis.call('ZREM', key('keepers'), caller) end
end

local function share(caller, total, part) if caller == '0' then return total else return part end end

local function drop_answer(record, caller, size)
    redis.call('ZREM', key('answers:' .. caller), record)
    redis.call('HDEL', key('r:' .. record), 'a')
    weigh(caller, -size)
end

local function unlink(record, caller)
    redis.call('ZREM', key('ended'), record)
    if caller ~= '0' then redis.call('ZREM', key('ended:' .. caller), record) end
end

local function forget(record)
    local row = redis.call('HMGET', key('r:' .. record), 's', 'c', 'e')
    if row[1] == ANSWERED then drop_answer(record, row[2], redis.call('HSTRLEN', key('r:' .. record), 'a')) end
    unlink(record, row[2])
    redis.call('DEL', key('r:' .. record))
    count(row[2], -1)
    forgotten = math.max(forgotten, tonumber(row[3]))
    redis.call('HSET', meta, 'forgotten', whole(forgotten))
end

local function shrink_oldest(caller)
    local record = redis.call('ZRANGE', key('answers:' .. caller), 0, 0)[1]
    drop_answer(record, caller, redis.call('HSTRLEN', key('r:' .. record), 'a'))
    redis.call('HSET', key('r:' .. record), 's', COMPLETED)
end

local function shrink(caller)
    local most = share(caller, bytes_max, bytes_share)
    while (tonumber(redis.call('ZSCORE', key('keepers'), caller) or 0) or 0) > most do shrink_oldest(caller) end
    while bytes > bytes_max do shrink_oldest(redis.call('ZREVRANGE', key('keepers'), 0, 0)[1]) end
end

local function finish(record, caller, state, answer)
    if answer and #answer - 1 > math.min(answer_max, share(caller, bytes_max, bytes_share)) then
        state, answer = COMPLETED, nil
    end
    redis.call('ZREM', key('running'), record)
    redis.call('HSET', key('r:' .. record), 's', state, 'e', whole(now))
    redis.call('ZADD', key('ended'), whole(now), record)
    if caller ~= '0' then redis.call('ZADD', key('ended:' .. caller), whole(now), record) end
    if answer then
        redis.call('HSET', key('r:' .. record), 'a', answer)
        redis.call('ZADD', key('answers:' .. caller), whole(now), record)
        weigh(caller, #answer)
        shrink(caller)
    end
end

-- What nobody has renewed is held for dead; what is older than the window is forgotten. A few of each, more than are added.
local function tidy()
    for _, record in ipairs(redis.call('ZRANGEBYSCORE', key('running'), '-inf', whole(now), 'LIMIT', 0, AT_ONCE)) do
        finish(record, redis.call('HGET', key('r:' .. record), 'c'), UNKNOWN)
    end
    for _, record in ipairs(redis.call('ZRANGEBYSCORE', key('ended'), '-inf', whole(now - window), 'LIMIT', 0, AT_ONCE)) do
        forget(record)
    end
end

local function make_room_of(list, whose)
    local oldest = redis.call('ZRANGE', list, 0, 0, 'WITHSCORES')
    local left = oldest[1] and tonumber(oldest[2]) + window - now or 0
    if oldest[1] and (best_effort or left <= 0) then
        forget(oldest[1])
        return nil
    end
    return { 'full', whole(math.max(left, 1)), whose }
end

local function make_room(caller)
    if caller ~= '0' and tonumber(redis.call('HGET', key('callers'), caller) or 0) >= entries_share then
        return make_room_of(key('ended:' .. caller), '1')
    end
    if entries >= entries_max then return make_room_of(key('ended'), '0') end
    return nil
end

local function run(caller, fingerprint, token, again)
    local fence = whole(redis.call('HINCRBY', meta, 'fence', 1))
    redis.call('HSET', key('r:' .. id), 's', RUNS, 'f', fingerprint, 'c', caller, 'n', fence, 't', token, 'g', again)
    redis.call('ZADD', key('running'), whole(now + lease), id)
    return { 'run', fence, again }
end

local function claim(caller, fingerprint, age, reruns, token)
    tidy()
    local row = redis.call('HMGET', key('r:' .. id), 's', 'f', 'c', 'n', 't', 'g')
    local state = row[1]
    if state then
        if row[2] ~= fingerprint then return { 'other' } end
        if state == RUNS then
            local left = tonumber(redis.call('ZSCORE', key('running'), id) or 0) - now
            -- Its claimer did not hear the answer.
            if left > 0 and row[5] == token then return { 'run', row[4], row[6] } end
            if left > 0 then return { 'running', whole(left) } end
            finish(id, row[3], UNKNOWN)
            state = UNKNOWN
        end
        if state == ANSWERED then return { 'answered', redis.call('HGET', key('r:' .. id), 'a') } end
        if state == COMPLETED then return { 'completed' } end
        if not reruns then return { 'unknown' } end
        unlink(id, row[3])
        return run(row[3], fingerprint, token, '1')
    end
    local again = age ~= '' and now - tonumber(age) <= forgotten
    if again and not reruns then return { 'forgotten' } end
    local full = make_room(caller)
    if full then return full end
    count(caller, 1)
    return run(caller, fingerprint, token, again and '1' or '0')
end

-- How it ended whom this fence was given. That it was held for dead meanwhile makes what it knows no less true.
local function conclude(fence, how, answer)
    local row = redis.call('HMGET', key('r:' .. id), 's', 'n', 'c')
    if row[2] ~= fence then return { 'fenced' } end
    if row[1] == ANSWERED or row[1] == COMPLETED then return { 'ended' } end
    if row[1] == UNKNOWN then unlink(id, row[3]) end
    if how == 'nothing' then
        redis.call('ZREM', key('running'), id)
        redis.call('DEL', key('r:' .. id))
        count(row[3], -1)
    elseif how == 'answered' then
        finish(id, row[3], ANSWERED, answer)
    else
        finish(id, row[3], UNKNOWN)
    end
    return { 'ended' }
end

local function renew(fence)
    local row = redis.call('HMGET', key('r:' .. id), 's', 'n')
    if row[1] ~= RUNS or row[2] ~= fence then return { 'fenced' } end
    redis.call('ZADD', key('running'), whole(now + lease), id)
    return { 'renewed' }
end

if op == 'claim' then return claim(ARGV[13], ARGV[14], ARGV[15], ARGV[16] == '1', ARGV[17]) end
if op == 'end' then return conclude(ARGV[13], ARGV[14], ARGV[15]) end
if op == 'renew' then return renew(ARGV[13]) end
if op == 'open' then return { 'open', redis.call('HGET', meta, 'secret') } end
return { 'unheard of' }
