/**
 * Tables that planning is measured on: of files that only their manifests know, added by 1,000 a commit.
 *
 * `byDay` is what a landing makes: each manifest is of few days, and a filter by day skips most of them. `scattered` is the
 * hard one: by bucket of the account, every manifest has files of every partition, so that all of them have to be read.
 */
import { append, Catalog, commitTable, type Filter } from "@frazil/lake"
import { Effect } from "effect"
import { dayMicros, fieldId, schema, startMicros, table as sixteen, unreadFile } from "./SixteenColumns.ts"

export type PlanTable = "byDay" | "scattered"

const filesOfCommit = 1000
const buckets = 16

const specs = {
  byDay: { sourceId: fieldId("event_timestamp"), name: "event_timestamp_day", transform: { _tag: "day" } },
  scattered: { sourceId: fieldId("account_id"), name: "account_id_bucket", transform: { _tag: "bucket", buckets } }
} as const

const firstDay = Number(startMicros / dayMicros)

export const identifierOf = (name: PlanTable) => ({ namespace: sixteen.namespace, name: name.toLowerCase() })

/** Which day a file's rows are of: a thousand files a day. */
const dayOf = (index: number): number => Math.floor(index / filesOfCommit)

export const makePlanTable = Effect.fn("makePlanTable")(function* (name: PlanTable, files: number, folder: string) {
  const identifier = identifierOf(name)
  yield* (yield* Catalog).createTable({
    identifier,
    schema,
    partitionSpec: { specId: 0, fields: [{ ...specs[name], fieldId: 1000 }] }
  })
  for (let from = 0; from < files; from += filesOfCommit) {
    const added = Array.from({ length: Math.min(filesOfCommit, files - from) }, (_, i) => {
      const index = from + i
      const partition = name === "byDay" ? [firstDay + dayOf(index)] : [index % buckets]
      return unreadFile(index, dayOf(index), partition, folder)
    })
    yield* commitTable({ table: identifier, actions: () => Effect.succeed([append(added)]) })
  }
})

const account = "acc-050000"
/** Among the table's days when it has 10,000 files or more. */
const dayAsked = 9

/** One partition and bounds: an account on a day, in either table. */
export const planFilter: Filter = {
  _tag: "And",
  filters: [
    { _tag: "Compare", column: "account_id", operator: "=", value: account },
    {
      _tag: "Compare",
      column: "event_timestamp",
      operator: ">=",
      value: startMicros + BigInt(dayAsked) * dayMicros
    },
    {
      _tag: "Compare",
      column: "event_timestamp",
      operator: "<",
      value: startMicros + BigInt(dayAsked + 1) * dayMicros
    }
  ]
}

const isoOf = (day: number): string =>
  new Date(Number((startMicros + BigInt(day) * dayMicros) / 1000n)).toISOString().replace(".000Z", "+00:00")

/** The same in PyIceberg's words. */
export const planFilterText = `account_id = '${account}' AND event_timestamp >= '${isoOf(dayAsked)}' AND event_timestamp < '${isoOf(dayAsked + 1)}'`
