/**
 * What W1 to W4 share: the source, its time, and W1's rules over it, as parts of a job.
 *
 * `high`, `review` and `clean` are written to topics or only counted; what each rule finds is counted, the amounts of all
 * valid records are added up (`Flow.total`).
 */
import { expr, Topic } from "@frazil/core"
import { Flow, type Job } from "@frazil/engine"
import { RawTransaction, RawTransactions } from "@frazil/model"

/** The model's topic with one partition: a file is one. */
export const source = Topic.make(RawTransactions.name, {
  schema: RawTransaction,
  key: "account_id",
  eventTime: "event_timestamp",
  partitions: 1
})

/** What the routes find is written to topics, or only counted. */
export type Found = "written" | "counted"

export const routes = ["high", "review", "clean"] as const

export const rules = [
  "amount > 10000",
  "country != 'US'",
  "merchant_category in ['gambling', 'crypto', 'wire_transfer', 'jewelry']",
  "type == 'withdrawal' && amount > 800",
  "currency != 'USD'"
]
/** Their totals' names. */
const ruleNames = rules.map((_, index) => `R${index + 1}`)

const output = (name: string) => Topic.make(name, { schema: RawTransaction, key: undefined, partitions: 1 })

/**
 * The flow whose watermark is what the workloads say: the newest record's time less 10 s, however far ahead of the rest
 * that record is.
 */
export const timed = (from: typeof source) =>
  Flow.from(from).pipe(Flow.eventTime("event_timestamp", { outOfOrderness: "10 seconds", lead: "36500 days" }))

/** W1. */
export const ruleOutputs = (transactions: ReturnType<typeof timed>, found: Found) => {
  const { clean, high, review } = transactions.pipe(
    Flow.route({
      high: expr(`${rules[0]} || (${rules[3]})`),
      review: expr(`${rules[1]} || ${rules[2]} || ${rules[4]}`),
      clean: Flow.otherwise
    })
  )
  const end = (name: (typeof routes)[number], flow: typeof high) =>
    flow.pipe(found === "written" ? Flow.to(output(name)) : Flow.total(name))
  return [
    end("high", high),
    end("review", review),
    end("clean", clean),
    transactions.pipe(Flow.total("valid", { sum: "amount" })),
    ...rules.map((rule, index) => transactions.pipe(Flow.filter(expr(rule)), Flow.total(ruleNames[index]!)))
  ]
}

type Status = ReturnType<ReturnType<typeof Job.monitor>["status"]>[number]

const cents = (text: string | null | undefined): bigint => BigInt((text ?? "0").replace(".", ""))

/** The counts of an answer. */
export const countsOf = ({ deadLettered, in: n, late, out, totals }: Status) => {
  const found = (name: string) => totals[name]?.records ?? out[name] ?? 0
  const [high, review, clean] = routes.map(found)
  return {
    n,
    high: high ?? 0,
    review: review ?? 0,
    clean: clean ?? 0,
    invalid: deadLettered,
    rules: ruleNames.map(found),
    amount_cents: cents(totals["valid"]?.sum),
    late
  }
}
