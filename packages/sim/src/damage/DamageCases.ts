/**
 * Damage done from outside, between two runs: finished files cut, changed or lost; topics, tables and marks tampered with.
 *
 * Each case says what must come of it: a stop for the right reason, or an older copy that serves. Never a fresh start, never
 * fewer rows. `bun run sim --damage` and the tests run them, and so do mutants whose rule only shows here.
 */
import { accounts, accountLandings, payment, Payments } from "../jobs/Accounts.ts"
import { Job } from "@frazil/engine"
import { Context } from "effect"
import { checkpointsRoot } from "../world/check/LogChecks.ts"
import { type Durable, makeDurable } from "../world/Durable.ts"
import { noFaults } from "../world/Fault.ts"
import type { Rhythm, Scenario } from "../world/Scenario.ts"
import { input, standardDeadLetters, standardLedger } from "../world/Sim.ts"
import { Simulation } from "../world/Simulation.ts"

export interface DamageCase {
  readonly name: string
  /** What went wrong with the case; undefined when all is as it must be. */
  readonly run: () => string | undefined
}

const decoder = new TextDecoder()
const encoder = new TextEncoder()

/** Batches of any size that a seed draws end here. */
const recordsBefore = 64
const recordsAfter = 96
const rhythm: Rhythm = {
  epochMs: 10,
  epochRecords: 4,
  checkpointEveryMs: 0,
  commitEveryMs: 30,
  snapshot: Job.snapshotBounds
}

const scenario: Scenario = {
  job: accounts,
  input: [input(Payments, (random) => Array.from({ length: recordsAfter }, payment(random)))],
  landings: accountLandings,
  deadLetters: standardDeadLetters,
  ledger: standardLedger,
  services: Context.empty(),
  volatileFields: ["failed_at"],
  volatileTopics: [],
  check: () => []
}

/** A landing would notice first what a job must notice by itself. */
const notLanded: Scenario = { ...scenario, landings: [] }

const runTo = (of: Scenario, durable: Durable, seed: number, recordsMax: number): ReadonlyArray<string> =>
  new Simulation(
    of,
    { seed, plan: noFaults, calm: false, recordsMax, keepsTrace: false, rhythm, orderly: true },
    durable
  ).run().violations

/** Everything that was ever in force of a table, oldest first. */
const history = new WeakMap<Durable, Map<string, Array<string>>>()

const prepared = (of: Scenario, seed: number): Durable => {
  const durable = makeDurable()
  const locations = new Map<string, Array<string>>()
  history.set(durable, locations)
  const simulation = new Simulation(
    of,
    { seed, plan: noFaults, calm: false, recordsMax: recordsBefore, keepsTrace: false, rhythm, orderly: true },
    durable
  )
  const check = durable.pointers.changed
  durable.pointers.changed = (table, location) => {
    const name = `${table.namespace}.${table.name}`
    locations.set(name, [...(locations.get(name) ?? []), location])
    check(table, location)
  }
  const { violations } = simulation.run()
  if (violations.length > 0) throw new Error(`before any damage: ${violations[0]}`)
  return durable
}

/** `/…/`: stops for that reason. A flipped bit may also hit what nobody reads. */
interface Expected {
  readonly stop: RegExp | undefined
  readonly mayPass: boolean
}
const unharmed: Expected = { stop: undefined, mayPass: true }
const stops = (stop: RegExp): Expected => ({ stop, mayPass: false })

const damageCase = (
  name: string,
  expected: Expected,
  damage: (durable: Durable) => void,
  of: Scenario = scenario
): DamageCase => ({
  name,
  run: () => {
    const seed = 11
    const durable = prepared(of, seed)
    damage(durable)
    const violations = runTo(of, durable, seed, recordsAfter)
    const first = violations[0]
    if (first === undefined) return expected.mayPass ? undefined : "nothing was noticed"
    return expected.stop?.test(first) === true ? undefined : first
  }
})

type Harm = readonly [name: string, change: (bytes: Uint8Array) => Uint8Array | undefined]
const flipped: Harm = [
  "changed",
  (bytes) => {
    const changed = bytes.slice()
    changed[changed.length >> 1]! ^= 0x10
    return changed
  }
]
const destroyed: ReadonlyArray<Harm> = [
  ["cut", (bytes) => bytes.slice(0, bytes.length >> 1)],
  ["lost", () => undefined]
]
/** Still good JSON, with another figure in it. */
const forged: Harm = [
  "forged",
  (bytes) => {
    const text = decoder.decode(bytes)
    const other = text.replace(/"count":\d/g, (found) => `"count":${found.endsWith("1") ? "2" : "1"}`)
    return encoder.encode(other)
  }
]
const harms: ReadonlyArray<Harm> = [...destroyed, flipped, forged]
/** A bit at each of so many places: Iceberg's files have no checksum, so it may also fall where nobody reads. */
const flipsPerFile = 12
const flips: ReadonlyArray<Harm> = Array.from({ length: flipsPerFile }, (_, index) => [
  `changed at ${index} of ${flipsPerFile}`,
  (bytes) => {
    const changed = bytes.slice()
    changed[Math.floor((bytes.length * index) / flipsPerFile)]! ^= 0x04
    return changed
  }
])

const harm = ({ storage }: Durable, uri: string, [, change]: Harm): void => {
  const found = storage.objects.get(uri)
  if (found === undefined) throw new Error(`${uri} is not there`)
  const bytes = change(found.bytes)
  if (bytes === undefined) storage.objects.delete(uri)
  else storage.objects.set(uri, { ...found, bytes })
}

const snapshotFiles = ({ log }: Durable): ReadonlyArray<ReadonlyArray<string>> =>
  [...log.shards.values()].flatMap(({ id, record }) =>
    id.uid === "accounts" ? [(record?.snapshots ?? []).map(({ file }) => checkpointsRoot + file)] : []
  )

const totals = "accounts.totals"
const pointerOf = ({ pointers }: Durable) => pointers.tables.get(totals)!

/** Puts a changed copy of the metadata in force. */
const rewrite = (durable: Durable, change: (text: string) => string): void => {
  const { location, table } = pointerOf(durable)
  const text = decoder.decode(durable.storage.bytesOf(location))
  const changed = change(text)
  if (changed === text) throw new Error("the metadata did not change")
  const other = location.replace(".metadata.json", "-x.metadata.json")
  durable.storage.objects.set(other, { bytes: encoder.encode(changed), modifiedMs: 0 })
  durable.pointers.tables.set(totals, { table, location: other })
}

const manifestListOf = (durable: Durable): string => {
  const text = decoder.decode(durable.storage.bytesOf(pointerOf(durable).location))
  return /"manifest-list":\s*"([^"]+)"(?![\s\S]*"manifest-list")/.exec(text)![1]!
}

const remake = ({ log }: Durable, name: string, partitions: number): void => {
  const { records } = log.topics.get(name)!.partitions[0]!
  log.deleteTopic(name)
  log.ensureTopic({ name, partitions }, 0)
  const made = log.topics.get(name)!.partitions[0]!
  made.records.push(...records)
  made.end = records.length
}

const stateCases: ReadonlyArray<DamageCase> = [
  ...harms.flatMap((each) => [
    damageCase(`the newest snapshot ${each[0]}`, unharmed, (durable) => {
      for (const [newest] of snapshotFiles(durable)) if (newest !== undefined) harm(durable, newest, each)
    }),
    damageCase(`every snapshot ${each[0]}`, stops(/stopped: Corrupt/), (durable) => {
      for (const files of snapshotFiles(durable)) for (const file of files) harm(durable, file, each)
    })
  ]),
  damageCase("the last delta lost", stops(/stopped: Corrupt/), ({ log }) => {
    for (const { deltas, record } of log.shards.values()) if (record !== undefined) deltas.delete(record.epoch)
  })
]

const logCases: ReadonlyArray<DamageCase> = [
  damageCase("the topic made anew", stops(/stopped: TopicRecreated/), (durable) => remake(durable, "payments", 3)),
  damageCase(
    "the topic made anew, and not landed",
    stops(/stopped: TopicRecreated/),
    (durable) => remake(durable, "payments", 3),
    notLanded
  ),
  damageCase(
    "the topic made anew with more partitions",
    stops(/stopped: (TopicDiffers|PartitionsChanged)/),
    (durable) => remake(durable, "payments", 5)
  ),
  damageCase(
    "records removed before they were read",
    stops(/stopped: (OffsetOutOfRange|MarkAheadOfLog)/),
    ({ log }) => {
      for (const partition of log.topics.get("payments")!.partitions) {
        partition.end += 10
        partition.start = partition.end
      }
    }
  ),
  damageCase("an older log restored", stops(/stopped: MarkAheadOfLog/), ({ log }) => {
    for (const partition of log.topics.get("totals")!.partitions) {
      partition.records.length >>= 1
      partition.end = partition.records.length
    }
  }),
  damageCase("another record where one was landed", stops(/stopped: TopicRecreated/), ({ log }) => {
    for (const { records } of log.topics.get("totals")!.partitions) {
      const last = records.at(-1)
      if (last !== undefined) records[records.length - 1] = { ...last, value: encoder.encode('{"account":"other"}') }
    }
  })
]

const lakeStop = (mayPass: boolean): Expected => ({
  // a landing may pass a damaged entry on; whoever reads it stops
  stop: /stopped: (Corrupt|Unsupported|TableRolledBack|TableReplaced|SchemaDiffers|Invalid)|cannot be read/,
  mayPass
})

const tableCases: ReadonlyArray<DamageCase> = [
  ...[...destroyed, ...flips].flatMap((each) => [
    damageCase(`a table's metadata ${each[0]}`, lakeStop(flips.includes(each)), (durable) =>
      harm(durable, pointerOf(durable).location, each)
    ),
    damageCase(`a manifest list ${each[0]}`, lakeStop(flips.includes(each)), (durable) =>
      harm(durable, manifestListOf(durable), each)
    )
  ]),
  damageCase("an older state of the table put in force", stops(/stopped: TableRolledBack/), (durable) => {
    const locations = history.get(durable)!.get(totals)!
    durable.pointers.tables.set(totals, { ...pointerOf(durable), location: locations.at(-2)! })
  }),
  damageCase(
    "the table dropped",
    stops(/stopped: TableReplaced/),
    ({ pointers }) => void pointers.tables.delete(totals)
  ),
  damageCase("the table replaced by another", stops(/stopped: TableReplaced/), (durable) =>
    rewrite(durable, (text) => text.replace(/"table-uuid":\s*"[0-9a-f]{8}/, '"table-uuid":"00000000'))
  ),
  damageCase("a mark edited", stops(/stopped: TableRolledBack/), (durable) =>
    rewrite(durable, (text) => {
      const at = text.indexOf('"properties"')
      // a record ahead: one behind would be noticed by the log's position besides
      const ahead = (_: string, key: string, next: string) => `${key}${Number(next) + 1}`
      return text.slice(0, at) + text.slice(at).replace(/(\\"next\\":)(\d+)/, ahead)
    })
  )
]

export const damageCases: ReadonlyArray<DamageCase> = [...stateCases, ...logCases, ...tableCases]
