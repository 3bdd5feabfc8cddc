/**
 * A join with a table on disk to simulate: orders with the limit of their account, from a table that goes on changing meanwhile,
 * with a cache in which little stays.
 *
 * Which row an order meets depends on when it is read; that it is none older than what the table held when the order was
 * committed is judged by a plain loop over both topics.
 */
import { Field, Topic } from "@frazil/core"
import { Flow, Job } from "@frazil/engine"
import { Schema } from "effect"
import type { Random } from "../generate/Random.ts"
import type { KeptRecord } from "../world/log/KeptRecord.ts"
import { runOnDisk } from "../world/SimStateFolder.ts"
import type { KeptTopics } from "../world/Scenario.ts"
import { input, run, type SimOptions, type SimReport, tableInput } from "../world/Sim.ts"

const Orders = Topic.make("account-orders", {
  schema: Schema.Struct({ id: Field.text(), account: Field.text(), at: Field.timestamp }),
  key: "account",
  eventTime: "at",
  partitions: 2
})
const Limits = Topic.make("account-limits", {
  schema: Schema.Struct({
    account: Field.text(),
    version: Field.int(),
    limit: Field.decimal(12, 2),
    tier: Field.optional(Field.text()),
    note: Field.text()
  }),
  key: "account",
  partitions: 2
})
const Checked = Topic.make("checked-orders", {
  schema: Schema.Struct({
    id: Field.text(),
    account: Field.text(),
    at: Field.timestamp,
    version: Field.optional(Field.int()),
    limit: Field.optional(Field.decimal(12, 2)),
    tier: Field.optional(Field.text())
  }),
  key: "account",
  partitions: 2
})

const job = Job.make("tables", [
  Flow.from(Orders).pipe(
    Flow.joinTable(Limits, {
      on: "account",
      take: ["version", "limit", "tier"],
      store: { disk: { cacheBytesMax: 1_200 } }
    }),
    Flow.to(Checked)
  )
])

const startMs = Date.UTC(2026, 0, 14)
/** A few of them more often: so that what was merged has more of them than what comes. */
const account = (random: Random) => `A${random.below(random.below(2) === 0 ? 6 : 60)}`

const orderLines = (random: Random): ReadonlyArray<string> =>
  Array.from({ length: 60 + random.below(120) }, (_, number) =>
    JSON.stringify({
      id: `o${number}`,
      account: account(random),
      at: new Date(startMs + number * 1_000).toISOString()
    })
  )

/** Rows that come, change and go; some that do not decode. */
const limitLines = (random: Random): ReadonlyArray<string> =>
  Array.from({ length: 100 + random.below(200) }, (_, version) => {
    const of = account(random)
    if (random.below(4) === 0) return JSON.stringify({ account: of })
    const tier = random.below(3) === 0 ? undefined : random.below(2) === 0 ? "gold" : null
    const limit = random.below(20) === 0 ? "no limit" : random.below(1_000) + 0.25
    return JSON.stringify({ account: of, version, limit, tier, note: "n".repeat(random.below(200)) })
  })

/** Of what the generator makes above. */
const deletes = (line: string): boolean => !line.includes('"version"')

interface Row {
  readonly version: number
  readonly limit: number | string
  readonly tier?: string | null
}

interface Known {
  /** The log's append that said it: processes' clocks do not agree. */
  readonly from: number
  readonly text: string
}

const noRow = JSON.stringify([null, null, null])
const rowText = ({ limit, tier, version }: Row): string => JSON.stringify([version, limit, tier ?? null])

const decoder = new TextDecoder()
const textOf = (bytes: Uint8Array | null): string => decoder.decode(bytes ?? new Uint8Array(0))

/** By account, what a partition of the table said of it and from when on. */
const historyOf = (records: ReadonlyArray<KeptRecord>): ReadonlyMap<string, ReadonlyArray<Known>> => {
  const history = new Map<string, Array<Known>>()
  for (const { appendNumber, key, value } of records) {
    const row = value.length === 0 ? undefined : (JSON.parse(textOf(value)) as Row)
    if (row?.limit === "no limit") continue
    const of = textOf(key)
    const known = history.get(of) ?? [{ from: 0, text: noRow }]
    history.set(of, [...known, { from: appendNumber, text: row === undefined ? noRow : rowText(row) }])
  }
  return history
}

interface Order {
  readonly id: string
  readonly account: string
}

const recordsOf = <A>(records: ReadonlyArray<KeptRecord>): ReadonlyArray<A> =>
  records.map(({ value }) => JSON.parse(textOf(value)) as A) // the job's own, or the generator's above

/** What is wrong with the orders of a partition as they were checked, which have the order of the orders. */
const checkPartition = (
  orders: ReadonlyArray<KeptRecord>,
  limits: ReadonlyArray<KeptRecord>,
  checked: ReadonlyArray<KeptRecord>
): ReadonlyArray<string> => {
  const history = historyOf(limits)
  const [asked, answers] = [recordsOf<Order>(orders), recordsOf<Order & Row>(checked)]
  if (answers.length !== asked.length) return [`${answers.length} orders were checked, ${asked.length} were there`]
  return asked.flatMap(({ account: of, id }, at) => {
    const answer = answers[at]!
    if (answer.id !== id) return [`order ${id} was checked as ${answer.id}`]
    const known = history.get(of) ?? [{ from: 0, text: noRow }]
    const before = known.findLastIndex(({ from }) => from < orders[at]!.appendNumber)
    const may = known.slice(Math.max(0, before)).filter(({ from }) => from < checked[at]!.appendNumber)
    const found = rowText({ ...answer, version: answer.version ?? null, limit: answer.limit ?? null })
    return may.some(({ text }) => text === found)
      ? []
      : [`order ${id} of ${of} met ${found}, the table said ${may.map(({ text }) => text).join(" or ")}`]
  })
}

const check = (topics: KeptTopics): ReadonlyArray<string> => {
  const [orders, limits, checked] = [Orders, Limits, Checked].map(({ name }) => topics(name))
  return Array.from({ length: Orders.partitions }, (_, partition) =>
    checkPartition(orders![partition] ?? [], limits![partition] ?? [], checked![partition] ?? [])
  ).flat()
}

export const tablesOnDisk = (options: Omit<SimOptions, "input" | "landings">): SimReport =>
  runOnDisk(options.seed, (services) =>
    run(job, {
      ...options,
      input: [input(Orders, orderLines), tableInput(Limits, limitLines, deletes)],
      services,
      check,
      volatileFields: ["failed_at", "version", "limit", "tier"]
    })
  )
