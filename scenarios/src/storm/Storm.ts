/**
 * The storm: processes append to one table, compact it, expire its snapshots, evolve its schema and remove its orphans, all
 * at once and killed again and again. Every acknowledged row is there once, no commit is lost, and every file is readable.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { Catalog } from "@frazil/lake"
import { makeRandom, type Random } from "@frazil/sim"
import { restServerOnS3, s3Server, type Server } from "@frazil/sim/servers"
import { Effect, Random as Chance, type Scope } from "effect"
import { makeFolder } from "../Folder.ts"
import { type Finding, found, type Scale, type Scenario } from "../Scenario.ts"
import { endFile, readDiaries, tried } from "./Diary.ts"
import { bucket, cast, type Role, roles, stormLayer, type StormPlace, stormTable } from "./StormPlace.ts"
import { judgeStorm } from "./StormProof.ts"

interface Size {
  /** It rages for so long, and until so much was done in it, on whatever machine; no longer than that. */
  readonly stormMsMin: number
  readonly appendsMin: number
  readonly stormMsMax: number
  readonly killEveryMs: number
  readonly limits: StormPlace["limits"]
}

const sizes: Readonly<Record<Scale, Size>> = {
  full: {
    stormMsMin: 120_000,
    appendsMin: 1_000,
    stormMsMax: 600_000,
    killEveryMs: 1_500,
    limits: { attemptMsMax: 20_000, orphanAgeMsMin: 15_000, snapshotAgeMsMax: 15_000 }
  },
  short: {
    stormMsMin: 13_000,
    appendsMin: 40,
    stormMsMax: 120_000,
    killEveryMs: 1_500,
    limits: { attemptMsMax: 20_000, orphanAgeMsMin: 8_000, snapshotAgeMsMax: 5_000 }
  }
}

/** The end is declared; a turn takes no longer than an attempt, and what is begun in the way of starting. */
const endWithinMs = 60_000

interface Actor {
  readonly role: Role
  readonly number: number
  run: number
  child: ChildProcess
  gone: Promise<number | null>
  readonly said: Array<string>
}

const launch = (place: StormPlace, role: Role, number: number, run: number, seed: number, said: Array<string>) => {
  const args = [role, String(number), String(run), String(seed), JSON.stringify(place)]
  const child = spawn(process.execPath, [join(import.meta.dirname, "StormProcess.ts"), ...args], {
    stdio: ["ignore", "ignore", "pipe"]
  })
  child.stderr.on("data", (data: Buffer) => void said.push(data.toString()))
  return { child, gone: new Promise<number | null>((done) => child.once("close", (code) => done(code))) }
}

/** All processes; killed with the scope if they still run. */
const startAll = (place: StormPlace, seed: number): Effect.Effect<ReadonlyArray<Actor>, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() =>
      roles.flatMap((role) =>
        Array.from({ length: cast[role] }, (_, number): Actor => {
          const said: Array<string> = []
          return { role, number, run: 0, said, ...launch(place, role, number, 0, seed + number, said) }
        })
      )
    ),
    (actors) =>
      Effect.promise(async () => {
        for (const { child } of actors) child.kill("SIGKILL")
        await Promise.all(actors.map(({ gone }) => gone))
      })
  )

const killOne = Effect.fnUntraced(function* (place: StormPlace, actor: Actor, seed: number) {
  actor.child.kill("SIGKILL")
  yield* Effect.promise(() => actor.gone)
  actor.run++
  Object.assign(actor, launch(place, actor.role, actor.number, actor.run, seed, actor.said))
})

/** A server is away for a moment; everybody who needs it finds out. */
const killServer = Effect.fnUntraced(function* ({ kill, start }: Server, random: Random) {
  yield* kill
  yield* Effect.sleep(random.below(2_000))
  yield* start
})

/** How often each server was killed, in their order. */
type ServerKills = ReadonlyArray<number>

const doneIn = (place: StormPlace) => readDiaries(place).filter(({ came }) => came === "done")

/** Every role has done something, every server was away, and enough rows were acknowledged. */
const hasRaged = (place: StormPlace, size: Size, serverKills: ServerKills, sinceMs: number): boolean => {
  const { appendsMin, stormMsMax, stormMsMin } = size
  if (sinceMs < stormMsMin || sinceMs >= stormMsMax) return sinceMs >= stormMsMax
  if (serverKills.includes(0)) return false
  const done = doneIn(place)
  const appends = done.filter(({ rows }) => rows !== undefined).length
  const hasDone = (role: Role) =>
    // a compaction that found nothing to do shows nothing
    done.some(({ sequenceNumber, who }) => who.startsWith(role) && (role !== "compact" || sequenceNumber !== undefined))
  return appends >= appendsMin && roles.every(hasDone)
}

/** Has taken a turn since it was started: on a slow machine, too, every role comes to something between kills. */
const hasBegun = (place: StormPlace) => {
  const turns = readDiaries(place).filter(({ came }) => came !== tried)
  const begun = new Set(turns.map(({ run, who }) => `${who}.${run}`))
  return ({ number, role, run }: Actor): boolean => begun.has(`${role}-${number}.${run}`)
}

/** Of so many kills each server has one, the others are of processes: no storm is over before every server was away. */
const killsOfRound = 8

/** Kills at random until the storm is over; tells how often processes and each server. */
const rage = Effect.fnUntraced(function* (
  place: StormPlace,
  actors: ReadonlyArray<Actor>,
  servers: ReadonlyArray<Server>,
  size: Size,
  random: Random
) {
  const startedAt = performance.now()
  const { killEveryMs } = size
  let kills = 0
  const serverKills = servers.map(() => 0)
  const round: Array<number> = []
  let doneBefore = 0
  for (;;) {
    yield* Effect.sleep(killEveryMs / 2 + random.below(killEveryMs))
    if (hasRaged(place, size, serverKills, performance.now() - startedAt)) return { kills, serverKills }
    if (round.length === 0) round.push(...Array(killsOfRound).keys())
    // it is not empty
    const which = round.splice(random.below(round.length), 1)[0]!
    const server = servers[which]
    if (server === undefined) {
      const begun = actors.filter(hasBegun(place))
      const actor = begun[random.below(Math.max(1, begun.length))]
      if (actor === undefined) continue
      yield* killOne(place, actor, random.bits())
      kills++
    } else if (doneIn(place).length < doneBefore + actors.length) {
      // on a slow machine, too, servers come to something for everybody between kills
      round.push(which)
    } else {
      yield* killServer(server, random)
      serverKills[which]!++
      doneBefore = doneIn(place).length
    }
  }
})

const createTable = Catalog.use((catalog) =>
  catalog.createTable({
    identifier: stormTable,
    schema: {
      schemaId: 0,
      identifierFieldIds: [],
      fields: [
        { id: 1, name: "id", required: true, type: { _tag: "string" } },
        { id: 2, name: "batch", required: true, type: { _tag: "string" } },
        { id: 3, name: "part", required: true, type: { _tag: "int" } },
        { id: 4, name: "n", required: true, type: { _tag: "long" } }
      ]
    },
    partitionSpec: {
      specId: 0,
      fields: [{ sourceId: 3, fieldId: 1000, name: "part", transform: { _tag: "identity" } }]
    }
  })
).pipe(
  // a server that has just started may not answer in time, and have made it
  Effect.retry({ times: 5, while: ({ reason }) => reason === "OutcomeUnknown" || reason === "Unavailable" }),
  Effect.catchIf(
    ({ reason }) => reason === "TableExists",
    () => Effect.void
  )
)

/** Lets all end after their turns; tells who did not end well. */
const endAll = Effect.fnUntraced(function* (place: StormPlace, actors: ReadonlyArray<Actor>) {
  writeFileSync(endFile(place), "")
  const codes = yield* Effect.forEach(
    actors,
    ({ gone }) =>
      Effect.timeoutOption(
        Effect.promise(() => gone),
        endWithinMs
      ),
    { concurrency: "unbounded" }
  )
  return actors.flatMap(({ number, role, said }, i) => {
    const code = codes[i]
    if (code?._tag === "Some" && code.value === 0) return []
    const how = code?._tag === "Some" ? `ended with ${code.value}` : "did not end"
    return [`${role}-${number} ${how}: ${said.join("").slice(-4_000)}`]
  })
})

/** Who is killed when, and what processes choose, go by it: FRAZIL_STORM_SEED, to see a storm again as far as clocks allow. */
const chooseSeed = Effect.gen(function* () {
  const asked = process.env["FRAZIL_STORM_SEED"]
  if (asked === undefined) return yield* Chance.nextIntBetween(0, 100_000)
  const seed = Number(asked)
  if (asked.trim() !== "" && Number.isSafeInteger(seed)) return seed
  return yield* Effect.fail(`FRAZIL_STORM_SEED must be a whole number, not ${asked}`)
})

const storm = Effect.fnUntraced(function* (place: StormPlace, size: Size, servers: ReadonlyArray<Server>) {
  const seed = yield* chooseSeed
  yield* Effect.provide(createTable, stormLayer(place))
  const actors = yield* startAll(place, seed)
  const { kills, serverKills } = yield* rage(place, actors, servers, size, makeRandom(seed))
  const failed = yield* endAll(place, actors)
  const killed = `${kills} kills of processes by seed ${seed}`
  const findings: ReadonlyArray<Finding> = [
    ...serverKills.map((times, i) => found(times > 0, `${servers[i]!.url} was killed and came back ${times} times`)),
    found(
      failed.length === 0,
      failed.length === 0
        ? `${actors.length} processes go on until the end through ${killed}`
        : [`${failed.length} of ${actors.length} processes failed in ${killed}`, ...failed].join("\n      ")
    ),
    ...(yield* judgeStorm(place).pipe(
      Effect.provide(stormLayer(place)),
      // a table that cannot be read is a finding beside the others, with the seed
      Effect.catch(({ message }) => Effect.succeed([found(false, message)]))
    ))
  ]
  return findings
})

export const storms: ReadonlyArray<Scenario> = [
  {
    name: "storm",
    about:
      "8 processes append, 5 maintain and evolve one table on local disk, all killed again and again: no row is lost",
    run: Effect.fnUntraced(function* (scale) {
      const { path } = yield* makeFolder
      return yield* storm({ folder: path, limits: sizes[scale].limits }, sizes[scale], [])
    })
  },
  {
    name: "storm-rest-s3",
    about: "the same on Java's REST catalog and a store of objects, which are killed too",
    run: Effect.fnUntraced(function* (scale) {
      const { path } = yield* makeFolder
      const store = yield* s3Server(9961, bucket)
      const catalog = yield* restServerOnS3(8271, path, store, `s3://${bucket}/tables`)
      const servers = { catalog: catalog.url, store: store.url }
      const place = { folder: path, limits: sizes[scale].limits, servers }
      return yield* storm(place, sizes[scale], [catalog, store])
    })
  }
]
