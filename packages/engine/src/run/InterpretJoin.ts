/** The slow twin of `CompileJoin`: a side of a join, for one record. */
import type { AnyRecord } from "../flow/Node.ts"
import { resultsBehindMs, type Side } from "../join/Join.ts"
import type { EmitJoined } from "../join/JoinState.ts"
import { recordOf } from "../state/KeptRecord.ts"
import type { PlannedOperator } from "../plan/StagePlan.ts"
import type { Step, Visit } from "./InterpretStage.ts"
import { clockAt } from "./VisitClock.ts"
import { makeStateKey } from "./StateKey.ts"
import type { StageContext } from "./StageProgram.ts"

/** Takes a join's results on to `next`, what follows it. */
export const takeJoined = (next: Step, { node }: PlannedOperator) => {
  const behindMs = node.op === "join" ? resultsBehindMs(node.join) : 0
  return (context: StageContext, now: number): EmitJoined =>
    (record, by, eventTime, watermark) => {
      const read = recordOf(by, context)
      // a repartition takes from it what the join holds time back by
      const time = { eventTime, watermark, clock: clockAt(watermark + behindMs) }
      next(record, { batch: undefined, row: -1, context, now, ...time, read, unchanged: false })
    }
}

export const joinSideStep = (
  operator: PlannedOperator,
  join: PlannedOperator,
  side: Side,
  deletes: (record: AnyRecord) => boolean,
  guarded: (visit: Visit, code: () => void, name: string) => boolean,
  emitOf: ReturnType<typeof takeJoined>
): Step => {
  const keyOf = makeStateKey({ ...operator, name: join.name })
  return (record, visit) => {
    const { batch, context, eventTime: time, now, read, row, watermark } = visit
    // no join lies behind what gives records of its own
    if (batch === undefined) return
    let key = ""
    let deleted = false
    const find = () => {
      key = keyOf(record, read)
      deleted = deletes(record)
    }
    if (!guarded(visit, find, join.name)) return
    const input = { side, port: context.port, key, time, deleted, record, cells: record, changed: record !== read }
    const reason = context.joins[join.state]!.take(input, batch, row, watermark, context, emitOf(context, now))
    if (reason === undefined) return
    context.enter(batch, row, { operator: join.name, reason, key, eventTime: time, latenessMs: watermark - time })
  }
}
