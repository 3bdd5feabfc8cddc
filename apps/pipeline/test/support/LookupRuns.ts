/**
 * Inputs of lending and claims, and what plain loops over the same lines say must be in topics and tables afterwards.
 *
 * The golden runs on the embedded log and the runs on Kafka are held against it.
 */
import { mkdirSync } from "node:fs"
import { assert } from "@effect/vitest"
import { openDuckDbFile } from "@frazil/connect"
import { Catalog, identifierFromText, readTable } from "@frazil/lake"
import { dataDirectory, systemLayer } from "@frazil/platform"
import { serveBureau } from "@frazil/sim"
import { Effect } from "effect"
import { readTopic } from "./LeftBehind.ts"
import { makePlaceOf } from "./PipelineRun.ts"

type LogPlace = Parameters<typeof dataDirectory>[2]

/** Lines of each file that are no JSON. */
export const torn = 7
const pick = <A>(from: ReadonlyArray<A>, index: number): A => from[index % from.length]!

const customers = Array.from({ length: 40 }, (_, n) => ({
  customer_id: `C${n}`,
  name: "Somebody",
  credit_score: pick([579, 580, 700, 749, 750, 800], n),
  income: pick([74_999.99, 75_000, 90_000, 20_000], n),
  credit_limit: pick([500, 3_000, 20_000], n),
  home_country: "DE",
  since: "2020-01-01"
}))

/** As files of them say. */
export const applications = Array.from({ length: 300 }, (_, n) => ({
  application_id: `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`,
  customer_id: pick([null, `C${n % 60}`, `C${(n * 7) % 40}`], n),
  ssn: String(100_000_000 + ((n * 7_919_317) % 800_000_000)),
  amount: pick([499.99, 500, 500.01, 3_000.5, 5_000, 5_000.01, 12_000], n),
  currency: "EUR",
  merchant_id: "M1",
  term_months: 12,
  country: "DE",
  applied_at: new Date(Date.UTC(2026, 0, 14, 8, 0, n)).toISOString()
}))

/** Lines that do not decode: their numbers must not appear in any message. */
export const badApplications = ["12345678X", "98765432", "1234567890"].map((ssn, n) => ({
  ...applications[n],
  application_id: `00000000-0000-4000-8000-${String(900 + n).padStart(12, "0")}`,
  ssn
}))

const claims = Array.from({ length: 30 }, (_, n) => ({
  claim_id: `CL${n}`,
  member_id: `M${n}`,
  claim_amount: pick(["10000.00", "10000.01", "99.90", "-5.00"], n),
  claim_status: n % 3 === 0 ? null : "open"
}))

export const payments = Array.from({ length: 240 }, (_, n) => ({
  payment_id: `P${n}`,
  claim_id: `CL${n % 36}`,
  payment_amount: 12.5,
  payment_date: new Date(Date.UTC(2026, 0, 14 + (n % 2), 8, 0, n)).toISOString(),
  processor_id: "PR1"
}))

const ndjson = (records: ReadonlyArray<object>) =>
  records.map((record) => `${JSON.stringify(record)}\n`).join("") + '{"torn\n'.repeat(torn)

/** What the bureau says of each number, asked by plain HTTP. */
export const bureauScores = Effect.gen(function* () {
  const { address } = yield* serveBureau({ port: 0, seed: 1, behaviour: { delayMsMin: 0, delayMsMax: 0 } })
  const ask = async (ssn: string) => {
    const response = await fetch(`${address}/v1/score`, { method: "POST", body: JSON.stringify({ ssn }) })
    const { score } = (await response.json()) as { readonly score: number } // the bureau's contract
    return [ssn, score] as const
  }
  const answers: Array<readonly [string, number]> = []
  for (const { ssn } of applications) answers.push(yield* Effect.promise(() => ask(ssn)))
  return new Map(answers)
}).pipe(Effect.scoped)

const decide = (scores: ReadonlyMap<string, number>) =>
  applications.map(({ amount, application_id, customer_id, ssn }) => {
    const customer = customers.find((candidate) => candidate.customer_id === customer_id)
    if (customer === undefined) {
      const score = scores.get(ssn)!
      const outcome = score >= 680 && amount <= 5_000 ? "approved" : score < 580 ? "declined" : "referred"
      return `${application_id} ${outcome} ${score} bureau`
    }
    const { credit_limit, credit_score, income } = customer
    if (credit_score >= 750 && income >= 75_000) return `${application_id} approved ${credit_score} internal`
    const outcome = credit_score < 580 || amount > credit_limit ? "declined" : "referred"
    return `${application_id} ${outcome} ${credit_score} internal`
  })

const enriched: Array<string> = []
const failed: Array<string> = []
const large: Array<string> = []
for (const { claim_id, payment_id } of payments) {
  const claim = claims.find((candidate) => candidate.claim_id === claim_id)
  if (claim === undefined) failed.push(`${payment_id} CLAIM_NOT_FOUND`)
  else if (claim.claim_amount.startsWith("-")) failed.push(`${payment_id} DB_ERROR`)
  else {
    const line = `${payment_id} ${claim.member_id} ${claim.claim_amount} ${claim.claim_status}`
    enriched.push(line)
    if (Number(claim.claim_amount) > 10_000) large.push(line)
  }
}

const fillClaims = Effect.fnUntraced(function* (file: string) {
  const client = yield* openDuckDbFile("claims", { kind: "duckdb", file }, "write")
  yield* client.query(
    "CREATE TABLE claims (claim_id VARCHAR PRIMARY KEY, member_id VARCHAR NOT NULL, claim_amount DECIMAL(10,2) NOT NULL, claim_status VARCHAR, created_date TIMESTAMP)"
  )
  for (const { claim_amount, claim_id, claim_status, member_id } of claims) {
    const values = [claim_id, member_id, claim_amount, claim_status]
    yield* client.query("INSERT INTO claims VALUES ($1, $2, CAST($3 AS DECIMAL(10,2)), $4, NULL)", values)
  }
}, Effect.scoped)

/** Files of them all, and a data directory with the claims in it. */
export const lookupsPlace = Effect.gen(function* () {
  const made = yield* makePlaceOf({
    customers: ndjson(customers),
    loan_applications: ndjson([...applications, ...badApplications]),
    "payment-events": ndjson(payments)
  })
  mkdirSync(made.data)
  yield* fillClaims(`${made.data}/claims.duckdb`)
  return made
})

/** Fields of every row, as texts. */
const rowsOf = Effect.fnUntraced(function* (table: string, ...fields: ReadonlyArray<string>) {
  const catalog = yield* Catalog
  const loaded = yield* catalog.loadTable(identifierFromText(table)!)
  const columns = fields.map((field) => `CAST(${field} AS VARCHAR) AS ${field}`).join(", ")
  const { rows } = yield* readTable(loaded, { query: `SELECT ${columns} FROM t` })
  return rows.map((row) => fields.map((field) => String(row[field] ?? null)).join(" ")).toSorted()
})

const topicLines = (topic: string, ...fields: ReadonlyArray<string>) =>
  Effect.map(readTopic(topic), (records) =>
    records
      .map(({ value }) => JSON.parse(value) as Record<string, unknown>) // what the pipeline wrote
      .map((record) => fields.map((field) => String(record[field] ?? null)).join(" "))
      .toSorted()
  )

/** Topics and tables of the data directory, with its log in `at`, are what plain loops say. */
export const assertLookupsLeft = (data: string, scores: ReadonlyMap<string, number>, at?: LogPlace) =>
  Effect.gen(function* () {
    const decisions = ["application_id", "outcome", "score", "score_source"] as const
    const decided = decide(scores).toSorted()
    assert.deepStrictEqual(yield* topicLines("loan_decisions", ...decisions), decided)
    assert.deepStrictEqual(yield* rowsOf("lending.decisions", ...decisions), decided)
    const ids = applications.map(({ application_id }) => application_id).toSorted()
    assert.deepStrictEqual(yield* rowsOf("lending.applications", "application_id"), ids)
    const facts = ["payment_id", "member_id", "claim_amount", "claim_status"] as const

    assert.deepStrictEqual(yield* rowsOf("claims.enriched", ...facts), enriched.toSorted())
    assert.deepStrictEqual(yield* rowsOf("claims.failed", "payment_id", "enrichment_status"), failed.toSorted())
    const largeIds = yield* topicLines("large-claims", "payment_id")
    assert.deepStrictEqual(largeIds, large.map((line) => line.split(" ")[0]!).toSorted())
    // torn lines of each file, customers' for each of the two jobs that read them, and three numbers that are none
    const letters = (yield* readTopic("dead-letter")).map(({ value }) => JSON.parse(value) as { message: string })
    assert.strictEqual(letters.length, 4 * torn + badApplications.length)
    for (const { ssn } of [...applications, ...badApplications]) {
      assert.isFalse(letters.some(({ message }) => message.includes(ssn)))
    }
  }).pipe(Effect.provide(systemLayer(dataDirectory(data, undefined, at))))
