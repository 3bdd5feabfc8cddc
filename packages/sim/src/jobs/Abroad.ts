/**
 * The shipped job of large amounts that a foreign country follows, to simulate: few accounts, many large amounts, in any order
 * of time; its alerts are held against the oracle of patterns.
 */
import { makeFlows } from "@frazil/flows"
import { noRules } from "@frazil/rules"
import { Alerts, RawTransactions } from "@frazil/model"
import type { Random } from "../generate/Random.ts"
import { inTime, type Placed } from "../oracle/InTime.ts"
import { findSequences, type OraclePattern, type OracleStep } from "../oracle/Sequences.ts"
import type { KeptTopics } from "../world/Scenario.ts"
import { input, run, type SimOptions, type SimReport } from "../world/Sim.ts"
import { compare } from "./CheckAttempts.ts"

const [abroad] = makeFlows(noRules).abroad

const startMs = Date.UTC(2026, 0, 14, 23, 50)
const recordsMin = 40
const recordsSpread = 160
const withinMs = 300_000
const stepsMs = [0, 1_000, 20_000, 60_000]
/** Within the watermark's delay, beyond it, and beyond the pattern's five minutes. */
const latenessMs = [3_000, 5_000, 30_000, 400_000]
const amounts = ["10000", "10000.01", '"12000.00"', "9999.99", "20"]
const countries = ["DE", "DE", "DE", "FR", "US"]

const transactions = (random: Random): ReadonlyArray<string> => {
  let atMs = startMs
  const pick = <A>(values: ReadonlyArray<A>): A => values[random.below(values.length)]!
  return Array.from({ length: recordsMin + random.below(recordsSpread) }, (_, index) => {
    atMs += random.below(20) === 0 ? withinMs : pick(stepsMs)
    const late = random.below(6) === 0 ? pick(latenessMs) : 0
    const id = `00000000-0000-4000-8000-${String(index).padStart(12, "0")}`
    const place = `"country":"${pick(countries)}","city":"somewhere","lat":0,"lon":0,"channel":"pos","device_id":"D1"`
    const what = `"amount":${pick(amounts)},"currency":"EUR","type":"purchase","merchant_id":"M1","merchant_category":"shoes"`
    const event = new Date(atMs - late).toISOString()
    const text = `{"transaction_id":"${id}","account_id":"A${random.below(4)}",${what},${place},"ip":"10.0.0.1","event_timestamp":"${event}"}`
    return random.below(17) === 0 ? text.slice(0, -5) : text
  })
}

interface OracleTransaction extends Placed {
  readonly id: string
  readonly amount: number
  readonly country: string
}

const decoder = new TextDecoder()

const parsed = (value: Uint8Array, place: string): OracleTransaction | undefined => {
  try {
    // what a text that parses holds: the lines above, cut or whole
    const found = JSON.parse(decoder.decode(value)) as Record<string, string>
    const { account_id, amount, country, event_timestamp, transaction_id } = found
    return {
      at: Date.parse(event_timestamp!),
      key: account_id!,
      place,
      id: transaction_id!,
      amount: Number(amount),
      country: country!
    }
  } catch {
    return undefined
  }
}

const once = { how: "followedBy", min: 1, max: 1, consecutive: false, optional: false } as const

const large: OracleStep<OracleTransaction> = { ...once, name: "large", fits: ({ amount }) => amount > 10_000 }

const foreign: OracleStep<OracleTransaction> = {
  ...once,
  name: "foreign",
  fits: ({ country }, [first], records) => country !== records[first![1]]!.country
}

const pattern: OraclePattern<OracleTransaction> = { steps: [large, foreign], withinMs, skip: "noSkip" }

const alertText = (key: string, at: string, from: string, to: string, place: string) =>
  `${key} ${at} ${from} ${to} ${place}`

const checkAbroad = (topics: KeptTopics): ReadonlyArray<string> => {
  const expected: Array<string> = []
  for (const records of inTime(topics(RawTransactions.name), parsed).byKey) {
    for (const path of findSequences(pattern, records).matches) {
      const [first, last] = [records[path[0]![1]]!, records[path[1]![1]]!]
      expected.push(alertText(first.key, new Date(last.at).toISOString(), first.id, last.id, last.place))
    }
  }
  const found = topics(Alerts.name).flatMap((records) =>
    records.map(({ value }) => {
      // written by the job, by the topic's contract
      const { event_timestamp, key, sources, values } = JSON.parse(decoder.decode(value)) as {
        readonly key: string
        readonly event_timestamp: string
        readonly values: { readonly large_transaction_id: string; readonly foreign_transaction_id: string }
        readonly sources: readonly [{ readonly partition: number; readonly offset: number }]
      }
      const place = `${sources[0].partition}/${sources[0].offset}`
      return alertText(key, event_timestamp, values.large_transaction_id, values.foreign_transaction_id, place)
    })
  )
  return compare("alerts of large amounts that a foreign country follows", found, expected)
}

export const abroadOfTransactions = (options: Omit<SimOptions, "input" | "landings">): SimReport =>
  run(abroad, { ...options, input: [input(RawTransactions, transactions)], check: checkAbroad })
