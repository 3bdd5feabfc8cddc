/**
 * Control totals: how many records came to a `Flow.total`, and the exact sum of one of their fields.
 *
 * The stage programs add to a `RunningTotal`, `Shard.ts` commits what an epoch added in the shard's detail, the monitor and
 * `Job.progress` add shards up. **Bounds**: two numbers a `Flow.total` and shard; a sum has all digits there are.
 */
import { unscaledText } from "@frazil/core"
import type { AnyRecord } from "../flow/Node.ts"
import type { PlannedTotal } from "../plan/StagePlan.ts"
import { cellValueOf } from "../window/Cells.ts"

/** Since the job's first start. */
export interface ControlTotal {
  readonly records: number
  /** As decimal text; null where no field is added up. */
  readonly sum: string | null
}

/** By the name of the `Flow.total`. */
export type ControlTotals = Readonly<Record<string, ControlTotal>>

/** What the open epoch adds. */
export interface RunningTotal {
  /** A record without a field to add, or whose field is null. */
  readonly count: () => void
  /** A record, and the unscaled integer of its field; NaN is null. */
  readonly add: (value: number | bigint) => void
  readonly addRecord: (record: AnyRecord) => void
  readonly soFar: () => ControlTotal
  /** After `soFar` was committed. */
  readonly clear: () => void
}

export const makeRunningTotal = ({ field }: PlannedTotal): RunningTotal => {
  let records = 0
  let safe = 0
  let beyond = 0n
  const scale = field?.type._tag === "Decimal" ? field.type.scale : 0
  const count = () => void records++
  const addBeyond = (value: number | bigint) => {
    beyond += BigInt(safe) + BigInt(value)
    safe = 0
  }
  const add = (value: number | bigint) => {
    if (typeof value === "bigint") addBeyond(value)
    else if (!Number.isNaN(value)) {
      const sum = safe + value
      if (Number.isSafeInteger(sum)) safe = sum
      else addBeyond(value)
    }
    // code may have made a fraction of a whole number: what throws is not counted
    records++
  }
  return {
    count,
    add,
    addRecord: (record) => {
      const value = field === undefined ? null : cellValueOf(record, field.name)
      if (value === null || typeof value === "string") count()
      else add(value)
    },
    soFar: () => ({ records, sum: field === undefined ? null : unscaledText(beyond + BigInt(safe), scale) }),
    clear: () => {
      records = 0
      safe = 0
      beyond = 0n
    }
  }
}

const partsOf = (text: string) => {
  const [whole = "", fraction = ""] = text.split(".")
  return { unscaled: BigInt(whole + fraction), scale: fraction.length }
}

/** Of decimal texts, which may differ in scale. */
const addTexts = (left: string | null, right: string | null): string | null => {
  if (left === null || right === null) return left ?? right
  const [one, other] = [partsOf(left), partsOf(right)]
  const scale = Math.max(one.scale, other.scale)
  const at = (part: typeof one) => part.unscaled * 10n ** BigInt(scale - part.scale)
  return unscaledText(at(one) + at(other), scale)
}

/** Both, name by name; undefined when there are none. */
export const addTotals = (sum: ControlTotals | undefined, more: ControlTotals | undefined) => {
  if (sum === undefined || more === undefined) return sum ?? more
  const totals = new Map(Object.entries(sum))
  for (const [name, added] of Object.entries(more)) {
    const before = totals.get(name) ?? { records: 0, sum: null }
    totals.set(name, { records: before.records + added.records, sum: addTexts(before.sum, added.sum) })
  }
  return Object.fromEntries(totals)
}

/** What shards have of it. */
interface WithTotals {
  readonly context: { readonly totals: ReadonlyArray<RunningTotal> }
  readonly detail: { readonly counts: { readonly totals?: ControlTotals } }
}

/** Since the job's first start, the open epoch included; undefined when there were none. */
export const totalCounts = (
  { context, detail }: WithTotals,
  { totals }: { readonly totals: ReadonlyArray<PlannedTotal> }
): ControlTotals | undefined => {
  const running = totals.map(({ name }, index) => [name, context.totals[index]!.soFar()] as const)
  return addTotals(detail.counts.totals, running.length === 0 ? undefined : Object.fromEntries(running))
}

/** For the detail. */
export const totalsPart = (shard: WithTotals, plan: Parameters<typeof totalCounts>[1]) => {
  const totals = totalCounts(shard, plan)
  return totals === undefined ? {} : { totals }
}

/** Another epoch begins. */
export const clearCounts = (context: WithTotals["context"] & { validated: number }): void => {
  context.validated = 0
  for (const total of context.totals) total.clear()
}
