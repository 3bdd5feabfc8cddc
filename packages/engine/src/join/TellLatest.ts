/** What a join of two tables tells when rows of a key have changed, wherever they are held. */
import type { KeepingHost } from "../state/KeptRecord.ts"
import { giveJoined } from "./GiveJoined.ts"
import { isOuter, type LatestSpec, left, right } from "./Join.ts"
import type { JoinPlan } from "./JoinPlan.ts"
import type { SideRecord } from "./JoinRecord.ts"
import type { EmitJoined } from "./JoinState.ts"

/** By side, deletions among them. */
type Rows = readonly [SideRecord | undefined, SideRecord | undefined]

export interface RowsChanged {
  readonly before: Rows
  readonly after: Rows
  /** The record that changed them last. */
  readonly by: SideRecord
}

/** What is there of a row. */
const present = (row: SideRecord | undefined) => (row?.deleted === true ? undefined : row)

/** Whether two rows have a result. */
const haveResult = (spec: LatestSpec, one: SideRecord | undefined, other: SideRecord | undefined): boolean => {
  if (one !== undefined && other !== undefined) return true
  return (one !== undefined && isOuter(spec, left)) || (other !== undefined && isOuter(spec, right))
}

/** Gives the new result, or takes back the one that is no more; nothing where neither row changed. */
export const tellLatest = (
  plan: JoinPlan,
  spec: LatestSpec,
  { after, before, by }: RowsChanged,
  time: number,
  host: KeepingHost,
  emit: EmitJoined
): void => {
  const [one, other] = [present(after[left]), present(after[right])]
  const [oneBefore, otherBefore] = [present(before[left]), present(before[right])]
  if (one === oneBefore && other === otherBefore) return
  const told = { by, time, watermark: time }
  if (haveResult(spec, one, other)) giveJoined(plan, { ...told, left: one, right: other }, host, emit, false)
  else if (haveResult(spec, oneBefore, otherBefore))
    giveJoined(plan, { ...told, left: oneBefore, right: otherBefore }, host, emit, true)
}
