-- Argo CD's health of headgate's Rollout, QualityGate and PromptVersion, from their conditions.
local health = { status = "Progressing", message = "headgate has not looked at it yet" }
if obj.metadata.deletionTimestamp ~= nil then
  health.message = "is being deleted"
  return health
end
if obj.status == nil or obj.status.conditions == nil then
  return health
end
-- What is said of an older generation says nothing of what was synced last.
if (obj.status.observedGeneration or 0) < (obj.metadata.generation or 0) then
  return health
end
local conditions = {}
for _, condition in ipairs(obj.status.conditions) do
  conditions[condition.type] = condition
end
local function holds(name)
  return conditions[name] ~= nil and conditions[name].status == "True"
end
local function say(status, condition)
  health.status = status
  health.message = condition.reason
  if condition.message ~= nil and condition.message ~= "" then
    health.message = condition.reason .. ": " .. condition.message
  end
  return health
end
if holds("Stalled") then
  return say("Degraded", conditions.Stalled)
end
if holds("Paused") then
  return say("Suspended", conditions.Paused)
end
if holds("Reconciling") then
  if conditions.Reconciling.reason == "AwaitingApproval" then
    return say("Suspended", conditions.Reconciling)
  end
  return say("Progressing", conditions.Reconciling)
end
if holds("Ready") then
  return say("Healthy", conditions.Ready)
end
if conditions.Ready ~= nil then
  -- The kill switch is a person's word; anything else that is not ready and not under way needs one.
  return say(conditions.Ready.reason == "Killed" and "Suspended" or "Degraded", conditions.Ready)
end
return health
