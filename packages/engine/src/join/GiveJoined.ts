/** Makes a join's result of two records and gives it; what its code throws is about the record that brought it. */
import type { KeepingHost } from "../state/KeptRecord.ts"
import type { JoinPlan } from "./JoinPlan.ts"
import { partOf, type SideRecord } from "./JoinRecord.ts"
import type { EmitJoined } from "./JoinState.ts"

export interface Told {
  /** The record that brought the result. */
  readonly by: SideRecord
  readonly left: SideRecord | undefined
  readonly right: SideRecord | undefined
  /** The result's event time. */
  readonly time: number
  /** No later result is before it. */
  readonly watermark: number
}

export const giveJoined = (
  plan: JoinPlan,
  { by, left, right, time, watermark }: Told,
  host: KeepingHost,
  emit: EmitJoined,
  retracted?: boolean
): void => {
  const { firedAt } = host
  host.judging = by
  host.firedAt = by.offset
  let made
  try {
    const fieldsOnly = plan.kept !== undefined
    made = plan.make(left && partOf(left, host, fieldsOnly), right && partOf(right, host, fieldsOnly))
    if (retracted !== undefined) made = { ...made, retracted }
  } catch (error) {
    host.threw(undefined, -1, plan.name, error)
    made = undefined
  }
  if (made !== undefined) emit(made, by, time, watermark)
  host.judging = undefined
  host.firedAt = firedAt
}
