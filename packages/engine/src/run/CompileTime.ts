/** The code of a compiled stage that runs when time moves: what it ends gives its results. `CompileStage.ts` puts it into its loop. */
import type { CodeScope } from "@frazil/core"
import { isKeyedNode } from "../keyed/KeyedPlan.ts"
import { isTimed, type StagePlan } from "../plan/StagePlan.ts"
import { afterLead } from "./Lead.ts"

/** The watermark moves on, and windows that it passes fire, before the next record. */
export const moveTimeCode = (plan: StagePlan, scope: CodeScope): string => `if (eventTime > maxEventTime) {
  if (eventTime < leadAt) { maxEventTime = eventTime; lead.inRow = 0; }
  else { time.maxEventTime = maxEventTime; maxEventTime = ${scope.constant(afterLead)}(batch, i, context, ${scope.constant(plan.name)}, eventTime); }
  leadAt = leadAfter(maxEventTime);
  ${isTimed(plan) ? `fire(maxEventTime - ${plan.outOfOrdernessMs}, i);` : ""}
} else lead.inRow = 0;`

/** Before the next record, when the watermark has moved on. */
export const fireFunctions = (
  plan: StagePlan
): string => `const leadAfter = (time) => time === -Infinity ? Infinity : time + ${plan.leadMs};
const fire = (watermark, i) => { clock = watermark; ${eventWindowsOf(plan)
  .map(
    ({ id, state }) =>
      `if (watermark >= context.windows[${state}].nextAt) { context.firedAt = batch.source.offsets[i]; context.windows[${state}].fire(watermark, result${id}); }`
  )
  .concat(
    patternsOf(plan).map(
      ({ id, state }) =>
        `if (watermark > context.patterns[${state}].nextAt()) { context.firedAt = batch.source.offsets[i]; context.patterns[${state}].advance(watermark, context, match${id}); }`
    ),
    joinsOf(plan).map(
      ({ id, state }) =>
        `if (watermark > context.joins[${state}].nextAt()) { context.firedAt = batch.source.offsets[i]; context.joins[${state}].advance(watermark, context, joined${id}); }`
    ),
    keyedOf(plan).map(
      ({ id, state }) =>
        `if (context.keyed[${state}].due(watermark)) { context.firedAt = batch.source.offsets[i]; context.keyed[${state}].advance(watermark, context, kept${id}); }`
    )
  )
  .join("\n")} };`

export const advanceCode = (plan: StagePlan): string =>
  [
    ...eventWindowsOf(plan).map(({ id, state }) => `context.windows[${state}].fire(to, result${id});`),
    ...patternsOf(plan).map(({ id, state }) => `context.patterns[${state}].advance(to, context, match${id});`),
    ...keyedOf(plan).map(
      ({ id, state }) => `if (context.keyed[${state}].due(to)) context.keyed[${state}].advance(to, context, kept${id});`
    ),
    ...joinsOf(plan).map(({ id, state }) => `context.joins[${state}].advance(to, context, joined${id});`)
  ].join("\n")

/** How far event time has come in the shard. */
export const watermarkCode = (plan: StagePlan): string => `context.time.maxEventTime - ${plan.outOfOrdernessMs}`

export const clockCode = (plan: StagePlan): string => {
  const at = watermarkCode(plan)
  return [
    ...windowsOf(plan)
      .filter(({ state }) => plan.windows[state]!.clocked)
      .map(
        ({ id, state }) =>
          `if (context.clock.at >= context.windows[${state}].nextAt) context.windows[${state}].fire(context.clock.at, result${id});`
      ),
    ...keyedOf(plan).map(({ id, state }) => `context.keyed[${state}].advanceClock(${at}, context, kept${id});`)
  ].join("\n")
}

export const closeCode = (plan: StagePlan): string =>
  [
    ...windowsOf(plan).map(({ id, state }) => `context.windows[${state}].close(result${id});`),
    ...patternsOf(plan).map(({ id, state }) => `context.patterns[${state}].close(context, match${id});`),
    ...joinsOf(plan).map(({ id, state }) => `context.joins[${state}].close(context, joined${id});`),
    ...keyedOf(plan).map(({ id, state }) => `context.keyed[${state}].close(context, kept${id});`)
  ].join("\n")

const windowsOf = (plan: StagePlan) => plan.operators.filter(({ node }) => node.op === "window")
const eventWindowsOf = (plan: StagePlan) => windowsOf(plan).filter(({ state }) => !plan.windows[state]!.clocked)
const patternsOf = (plan: StagePlan) => plan.operators.filter(({ node }) => node.op === "pattern")
const keyedOf = (plan: StagePlan) => plan.operators.filter(({ node }) => isKeyedNode(node))
const joinsOf = (plan: StagePlan) => plan.operators.filter(({ node }) => node.op === "join")
