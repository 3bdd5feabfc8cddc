/**
 * Whether a peer's answer is ours: the fields that both have, by `workloads.md`.
 *
 * Of W5 the peers tell rows, some of them by day; of W6 its two counts.
 */
import type { Fields } from "../support/Benchmark.ts"

const counts = ["high", "review", "clean", "invalid", "rules"]
const rows = ["rows", "rows_count_sum", "rows_cents_sum", "rows_sha256"]
const compared: Readonly<Record<string, ReadonlyArray<string>>> = {
  w1: [...counts, "amount_cents"],
  w2: [...counts, ...rows],
  "w2-kafka": [...counts, ...rows],
  w3: [...counts, ...rows],
  w4: [...counts, "rows", "rows_sha256"],
  w5: ["rows", "by_day"],
  w6: ["x1", "x2"]
}

type Days = ReadonlyArray<ReadonlyArray<unknown>>

/** Days as `[day, rows, cents]`: some peers count accounts in between. */
const daysOf = (days: Days): Days => days.map((day) => [day[0], day[1], day.at(-1)])

/** The fields of W5 by our names. */
const landed = (fields: Fields): Fields => {
  const iceberg = fields["iceberg"] as Fields | undefined
  const days = fields["by_day"] as Days | undefined
  const told = fields["records"] ?? iceberg?.["records"]
  const total = days?.reduce((sum, [, count]) => sum + Number(count), 0)
  return { rows: Number(told ?? total), ...(days === undefined ? {} : { by_day: daysOf(days) }) }
}

/** Names of fields that differ. A peer that tells none of them has no answer. */
export const differingFields = (workload: string, ours: Fields, theirs: Fields): ReadonlyArray<string> => {
  const [one, other] = workload === "w5" ? [landed(ours), landed(theirs)] : [ours, theirs]
  const names = compared[workload] ?? []
  const both = names.filter((name) => one[name] !== undefined && other[name] !== undefined)
  if (both.length === 0) return names
  return both.filter((name) => JSON.stringify(one[name]) !== JSON.stringify(other[name]))
}
