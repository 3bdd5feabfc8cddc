/**
 * What the job `sequences` must have found in the attempts as they lie in the log: recomputed by the oracle of patterns, the
 * watermark and the cap included.
 */
import { inTime, type Placed } from "../oracle/InTime.ts"
import { findSequences, type OraclePattern, type OracleStep, type Path } from "../oracle/Sequences.ts"
import type { KeptTopics } from "../world/Scenario.ts"
import { cappedMax, cappedMs, guessedMs, steadyMs } from "./Attempts.ts"

interface OracleAttempt extends Placed {
  readonly id: string
  readonly ip: string
  readonly user: string
  readonly result: string
}

const step = (
  name: string,
  fits: OracleStep<OracleAttempt>["fits"],
  more: Partial<OracleStep<OracleAttempt>> = {}
): OracleStep<OracleAttempt> => ({
  name,
  fits,
  how: "followedBy",
  min: 1,
  max: 1,
  consecutive: false,
  optional: false,
  ...more
})

const resulting =
  (wanted: string) =>
  ({ result }: OracleAttempt): boolean =>
    result === wanted
const first = (path: Path, records: ReadonlyArray<OracleAttempt>) => records[path[0]![1]]!

const guessed: OraclePattern<OracleAttempt> = {
  withinMs: guessedMs,
  skip: "skipPastLastEvent",
  steps: [
    step("failed", resulting("failed"), { min: 2, max: 3 }),
    step("reset", resulting("reset"), { how: "notFollowedBy" }),
    step("success", ({ result, user }, path, records) => result === "success" && user === first(path, records).user)
  ]
}
const steady: OraclePattern<OracleAttempt> = {
  withinMs: steadyMs,
  skip: "noSkip",
  steps: [
    step("failed", resulting("failed")),
    step("again", ({ result, user }, path, records) => result === "failed" && user !== first(path, records).user, {
      how: "next"
    }),
    step("success", resulting("success"), { how: "notFollowedBy" })
  ]
}

const decoder = new TextDecoder()

const parsed = (value: Uint8Array, place: string): OracleAttempt | undefined => {
  try {
    // what a text that parses holds: the job's own attempts, cut or whole
    const { at, ...rest } = JSON.parse(decoder.decode(value)) as Omit<OracleAttempt, keyof Placed> & { at: string }
    return { ...rest, at: Date.parse(at), key: rest.ip, place }
  } catch {
    return undefined
  }
}

/** What two lists of texts differ in, whatever their order. */
export const compare = (what: string, found: ReadonlyArray<string>, expected: ReadonlyArray<string>) => {
  const [left, right] = [found.toSorted().join("\n"), expected.toSorted().join("\n")]
  return left === right ? [] : [`${what}: ${found.length} found, the oracle has ${expected.length}`]
}

interface Entry {
  readonly operator: string
  readonly reason: string
  readonly partition: number
  readonly offset_from: number
}

export const checkAttempts = (topics: KeptTopics): ReadonlyArray<string> => {
  const recordsOf = <A>(name: string) =>
    // written by the job; a topic's own schema was checked when they were
    topics(name).flatMap((records) => records.map(({ value }) => JSON.parse(decoder.decode(value)) as A))
  const idsIn = (name: string) => recordsOf<{ ip: string; ids: string }>(name).map(({ ids, ip }) => `${ip} ${ids}`)
  const { byKey, late } = inTime(topics("attempts"), parsed)
  const expected = { guessed: [] as Array<string>, steady: [] as Array<string>, timeouts: [] as Array<string> }
  const capped: Array<string> = []
  const entries = late.flatMap(({ place, result }) =>
    ["guessed", "steady", ...(result === "failed" ? ["capped"] : [])].map((operator) => `${operator} late ${place}`)
  )
  for (const records of byKey) {
    const { ip } = records[0]!
    const ids = (path: Path) => path.map(([, at]) => records[at]!.id).join(" ")
    for (const path of findSequences(guessed, records).matches) expected.guessed.push(`${ip} ${ids(path)}`)
    const found = findSequences(steady, records)
    for (const path of found.matches) expected.steady.push(`${ip} ${ids(path)}`)
    for (const path of found.timeouts) expected.timeouts.push(`${ip} ${ids(path)} -`)
    // as many as may be kept begin after it before its time is over: it is the oldest
    const begun = records.filter(resulting("failed"))
    for (const [index, { at, id, place }] of begun.entries()) {
      if ((begun[index + cappedMax]?.at ?? Number.POSITIVE_INFINITY) < at + cappedMs)
        entries.push(`capped evicted ${place}`)
      else capped.push(`${ip} ${id}`)
    }
  }
  const told = recordsOf<Entry>("late-and-dropped").filter(({ reason }) => reason !== "lead")
  return [
    ...compare("guessed", idsIn("guessed-attempts"), expected.guessed),
    ...compare("steady", idsIn("steady-attempts"), expected.steady),
    ...compare("steady timeouts", idsIn("steady-timeouts"), expected.timeouts),
    ...compare("capped timeouts", idsIn("capped-timeouts"), capped),
    ...compare(
      "ledger",
      told.map(({ offset_from, operator, partition, reason }) => `${operator} ${reason} ${partition}/${offset_from}`),
      entries
    )
  ]
}
