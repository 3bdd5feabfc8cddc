/**
 * The shipped security job to simulate: logins from few addresses, many of which fail, in any order of time; its alerts are
 * held against the oracle of patterns.
 */
import { security } from "@frazil/flows"
import { Authentication, SecurityAlerts } from "@frazil/model"
import type { Random } from "../generate/Random.ts"
import { inTime, type Placed } from "../oracle/InTime.ts"
import { findSequences, type OraclePattern, type OracleStep } from "../oracle/Sequences.ts"
import type { KeptTopics } from "../world/Scenario.ts"
import { input, run, type SimOptions, type SimReport } from "../world/Sim.ts"
import { compare } from "./CheckAttempts.ts"

const startMs = Date.UTC(2026, 0, 14, 23, 50)
const recordsMin = 40
const recordsSpread = 160
const stepsMs = [0, 1_000, 20_000, 60_000]
/** Within the watermark's delay, beyond it, and beyond the patterns' ten minutes. */
const latenessMs = [3_000, 5_000, 30_000, 700_000]
const withinMs = 600_000

const logins = (random: Random): ReadonlyArray<string> => {
  let atMs = startMs
  const pick = (values: ReadonlyArray<number>): number => values[random.below(values.length)]!
  return Array.from({ length: recordsMin + random.below(recordsSpread) }, () => {
    atMs += random.below(20) === 0 ? withinMs : pick(stepsMs)
    const late = random.below(6) === 0 ? pick(latenessMs) : 0
    const text = JSON.stringify({
      user_id: `U${random.below(4)}`,
      result: random.below(4) === 0 ? "success" : "failed",
      ip: `10.0.0.${random.below(4)}`,
      timestamp: new Date(atMs - late).toISOString()
    })
    return random.below(17) === 0 ? text.slice(0, -5) : text
  })
}

interface OracleLogin extends Placed {
  readonly user: string
  readonly result: string
}

const decoder = new TextDecoder()

const parsed = (value: Uint8Array, place: string): OracleLogin | undefined => {
  try {
    // what a text that parses holds: the lines above, cut or whole
    const login = JSON.parse(decoder.decode(value)) as Record<"user_id" | "result" | "ip" | "timestamp", string>
    return { at: Date.parse(login.timestamp), key: login.ip, place, user: login.user_id, result: login.result }
  } catch {
    return undefined
  }
}

const step = (result: string, count: number): OracleStep<OracleLogin> => ({
  name: result,
  how: "followedBy",
  fits: (login) => login.result === result,
  min: count,
  max: count,
  consecutive: false,
  optional: false
})

const patternOf = (...steps: ReadonlyArray<OracleStep<OracleLogin>>): OraclePattern<OracleLogin> => ({
  steps,
  withinMs,
  skip: "skipPastLastEvent"
})

const patterns = [
  ["failed_logins", patternOf(step("failed", 3))],
  ["failed_logins_then_success", patternOf(step("failed", 3), step("success", 1))]
] as const

const alertText = (kind: string, ip: string, user: string, at: number, window: string) =>
  `${kind} ${ip} ${user} ${new Date(at).toISOString()} ${window}`

const checkSecurity = (topics: KeptTopics): ReadonlyArray<string> => {
  const expected: Array<string> = []
  for (const records of inTime(topics(Authentication.name), parsed).byKey) {
    for (const [kind, pattern] of patterns) {
      for (const path of findSequences(pattern, records).matches) {
        const [first, last] = [records[path[0]![1]]!, records[path.at(-1)![1]]!]
        const window = [first.at, first.at + withinMs].map((ms) => new Date(ms).toISOString().slice(11, 16)).join("-")
        expected.push(alertText(kind, first.key, last.user, last.at, window))
      }
    }
  }
  const found = topics(SecurityAlerts.name).flatMap((records) =>
    records.map(({ value }) => {
      // written by the job, by the topic's contract
      const alert = JSON.parse(decoder.decode(value)) as Record<string, string>
      const { event_timestamp, ip, kind, time_window, user_id } = alert
      return alertText(kind!, ip!, user_id!, Date.parse(event_timestamp!), time_window!)
    })
  )
  return compare("security alerts", found, expected)
}

export const securityOfLogins = (options: Omit<SimOptions, "input" | "landings">): SimReport =>
  run(security, { ...options, input: [input(Authentication, logins)], check: checkSecurity })
