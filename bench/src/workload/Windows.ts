/**
 * W2 and W3: W1's rules, and windows per account; `w2-kafka.ts` runs the same job over Kafka.
 *
 * Rows are `account_id,window_start_ms,count,sum_cents`, exact whatever the amounts.
 */
import { type Decimal, Field, Topic } from "@frazil/core"
import { count, Flow, Job, sum, Window } from "@frazil/engine"
import { Schema } from "effect"
import type { Answered } from "./Answer.ts"
import { recordsOf, runJob, type Through } from "./RunJob.ts"
import { countsOf, type Found, ruleOutputs, source, timed } from "./Transactions.ts"

class Total extends Schema.Opaque<Total>()(
  Schema.Struct({
    account_id: Field.text(),
    window_start: Field.timestamp,
    count: Field.int(),
    total: Field.decimal(38, 2)
  })
) {}
export const Totals = Topic.make("totals", { schema: Total, key: undefined, partitions: 1 })

interface WindowsWorkload {
  readonly window: Window<"event">
  /** Windows with fewer records are left out. */
  readonly countMin: number
}

export const w2: WindowsWorkload = {
  window: Window.tumbling("5 minutes", { allowedLateness: "0s", ...unbounded() }),
  countMin: 501
}
export const w3: WindowsWorkload = {
  window: Window.hopping("1 hour", { every: "5 minutes", allowedLateness: "0s", ...unbounded() }),
  countMin: 1
}

/** Whatever the file has: the workloads know no bound of keys. */
function unbounded() {
  return { windowsOpenMax: Number.MAX_SAFE_INTEGER, windowsOpenPerKeyMax: Number.MAX_SAFE_INTEGER }
}

export const windowsJob = (
  name: string,
  { countMin, window }: WindowsWorkload,
  found: Found,
  from: typeof source = source
) => {
  const transactions = timed(from)
  return Job.make(name, [
    ...ruleOutputs(transactions, found),
    transactions.pipe(
      Flow.keyBy("account_id"),
      Flow.window(window, { count: count(), total: sum("amount") }),
      Flow.filter((result) => result.count >= countMin),
      Flow.to(Totals)
    )
  ])
}

/** Collects windows as the rows of an answer. */
export const collectWindows = () => {
  const rows: Array<string> = []
  let countSum = 0
  let centsSum = 0n
  const taken = recordsOf(Totals, (row) => {
    const total: Decimal<2> = row.total
    rows.push(`${row.account_id},${row.window_start},${row.count},${total.unscaled}`)
    countSum += row.count
    centsSum += BigInt(total.unscaled)
  })
  return { rows, taken, sums: () => ({ rows_count_sum: countSum, rows_cents_sum: centsSum }) }
}

export const runWindows = async (
  name: string,
  workload: WindowsWorkload,
  file: string,
  through: Through
): Promise<Answered> => {
  const { rows, sums, taken } = collectWindows()
  const { logCost, status } = await runJob(windowsJob(name, workload, "written"), file, through, taken)
  return { counts: countsOf(status), rows, ...sums(), logCost }
}
