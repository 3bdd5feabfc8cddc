/**
 * What epochs cost: the transactions job with its rules over the embedded log, with epochs of 200 ms and with hardly any.
 *
 * usage: bun bench/src/epochs.ts FILE.ndjson. Both read the same log in one process, in turns, after a run of each that
 * does not count; the figures are medians. "Hardly any" ends an epoch only where its outputs fill 16 MB, so that the
 * difference is commits, syncing, and state written as changes. No snapshots: those are not the epochs'. Prints one JSON object.
 */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { EmbeddedLog, feedFile } from "@frazil/connect"
import { KeyScanner, layerMemory } from "@frazil/core"
import {
  CheckpointStore,
  DeadLetters as DeadLetterContract,
  Job,
  Ledger as LedgerContract,
  Log,
  type LogShape,
  type ShardId
} from "@frazil/engine"
import { makeFlows, ruleTopics } from "@frazil/flows"
import { rulesDirectory } from "@frazil/lakehouse"
import { DeadLetters, Ledger, makeDeadLetter, makeLedgerEntry, RawTransactions } from "@frazil/model"
import { loadRules } from "@frazil/rules"
import { Effect, Layer } from "effect"
import { measureProcess, median } from "./support/Measure.ts"

const pairs = 5
const never = 24 * 3_600_000
const withEpochs = { epochMs: 200, epochRecords: 50_000 }
const withoutEpochs = { epochMs: never, epochRecords: Number.MAX_SAFE_INTEGER }

const file = process.argv[2]
if (file === undefined) throw new Error("usage: bun bench/src/epochs.ts FILE.ndjson")
const root = await mkdtemp(join(tmpdir(), "frazil-epochs-"))

interface Run {
  readonly cpuSeconds: number
  readonly wallSeconds: number
  readonly commits: number
}

/** The log as a job of another name sees it: each run starts at the beginning, without state. */
const asAnother = (log: LogShape, run: number): LogShape => {
  const own = (shard: ShardId): ShardId => ({ ...shard, uid: `${shard.uid}${run}` })
  return {
    ...log,
    fence: (owner, shards) => log.fence(owner, shards.map(own)),
    inForce: (shard) => log.inForce(own(shard)),
    deltas: (shard, after) => log.deltas(own(shard), after),
    commit: (epoch) => log.commit({ ...epoch, shards: epoch.shards.map((each) => ({ ...each, id: own(each.id) })) }),
    dropDeltas: (owner, shard, through) => log.dropDeltas(owner, own(shard), through)
  }
}

/** Reads the whole log as run number `run`, and tells what it cost. */
const measure = Effect.fnUntraced(function* (job: Job.Job, run: number, epochs: typeof withEpochs) {
  const log = asAnother(yield* Log, run)
  let commits = 0
  const counting: LogShape = {
    ...log,
    commit: (epoch) => Effect.tap(log.commit(epoch), () => Effect.sync(() => commits++))
  }
  const startedAt = performance.now()
  const before = process.cpuUsage()
  const end = { bounded: true, checkpointEveryMs: never, inputComplete: () => Effect.succeed(true) }
  yield* Job.run(job, { ...epochs, ...end }).pipe(Effect.provideService(Log, counting))
  const { system, user } = process.cpuUsage(before)
  return {
    cpuSeconds: (user + system) / 1e6,
    wallSeconds: (performance.now() - startedAt) / 1e3,
    commits
  } satisfies Run
})

const fed = Effect.gen(function* () {
  const log = yield* Log
  const topic = RawTransactions.name
  yield* log.ensureTopic({ name: topic, partitions: RawTransactions.partitions })
  return yield* feedFile({ file, topic, keys: KeyScanner.make(RawTransactions), owner: "bench" })
})

const program = Effect.gen(function* () {
  const [job] = makeFlows(yield* loadRules(rulesDirectory, ruleTopics)).transactions
  const { lines } = yield* fed
  const often: Array<Run> = []
  const seldom: Array<Run> = []
  for (let pair = 0; pair <= pairs; pair++) {
    // who goes first changes: the file grows, and the machine may be shared
    const turns = [
      { into: often, epochs: withEpochs },
      { into: seldom, epochs: withoutEpochs }
    ]
    for (const [turn, { epochs, into }] of (pair % 2 === 0 ? turns : turns.toReversed()).entries()) {
      const run = yield* measure(job, 2 * pair + turn, epochs)
      // the first pair warms up
      if (pair > 0) into.push(run)
    }
  }
  const of = (runs: ReadonlyArray<Run>, field: keyof Run) => median(runs.map((run) => run[field]))
  const percent = (field: keyof Run) => Number((100 * (of(often, field) / of(seldom, field) - 1)).toFixed(1))
  return {
    w: "epochs",
    n: lines,
    epochs: of(often, "commits"),
    epochsOtherwise: of(seldom, "commits"),
    cpuMicrosPerEvent: Number(((of(often, "cpuSeconds") * 1e6) / lines).toFixed(3)),
    cpuPercent: percent("cpuSeconds"),
    wallPercent: percent("wallSeconds"),
    eventsPerSecond: Math.round(lines / of(often, "wallSeconds")),
    rssPeakMb: measureProcess(lines).rssPeakMb
  }
})

const services = Layer.mergeAll(
  EmbeddedLog.layer({ file: join(root, "log.db") }),
  CheckpointStore.layer("file:///checkpoints/").pipe(Layer.provide(layerMemory)),
  Layer.succeed(DeadLetterContract, { topic: DeadLetters, make: makeDeadLetter }),
  Layer.succeed(LedgerContract, { topic: Ledger, make: makeLedgerEntry })
)
const result = await Effect.runPromise(program.pipe(Effect.provide(services)))
process.stdout.write(`${JSON.stringify(result)}\n`)
await rm(root, { recursive: true, force: true })
