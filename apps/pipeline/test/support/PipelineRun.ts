/**
 * A bounded run of the pipeline inside a test: the whole of `runPipeline` over a data directory on disk, without the
 * process around it, so that fault points can fail or crash it.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { FaultPoint, type FaultPointName } from "@frazil/core"
import { Log, type LogShape } from "@frazil/engine"
import { DuckDb } from "@frazil/lake"
import { dataDirectory, systemLayer, type ThreadSaid, ThreadWatcher } from "@frazil/platform"
import { noRules, type RuleSet } from "@frazil/rules"
import { Effect } from "effect"
import type { PipelineOptions } from "../../src/Options.ts"
import { runPipeline } from "../../src/Run.ts"
import type { Screen } from "../../src/Screen.ts"
import type { Summary } from "../../src/Summary.ts"

/** A folder with input files and the data directory of the runs that read them. */
export interface Place {
  readonly folder: string
  /** By topic. */
  readonly inputs: ReadonlyMap<string, string>
  /** The first of them. */
  readonly file: string
  readonly data: string
}

/** A place of its own, with an input file for each topic; removed with the scope. */
export const makePlaceOf = (inputs: Readonly<Record<string, Uint8Array | string>>) =>
  Effect.acquireRelease(
    Effect.sync((): Place => {
      const folder = mkdtempSync(join(tmpdir(), "frazil-pipeline-"))
      const files = Object.entries(inputs).map(([topic, bytes]) => {
        const file = join(folder, `${topic}.ndjson`)
        writeFileSync(file, bytes)
        return [topic, file] as const
      })
      return { folder, inputs: new Map(files), file: files[0]?.[1] ?? "", data: join(folder, "data") }
    }),
    ({ folder }) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
  )

/** A place whose input are transactions. */
export const makePlace = (bytes: Uint8Array) => makePlaceOf({ "raw-transactions": bytes })

const blind: Screen = { live: false, due: () => false, show: () => {}, say: () => {}, finish: () => {} }

/** Small epochs and commits, so that a small file crosses every fault point often. */
const optionsFor = (flows: PipelineOptions["flows"], { inputs }: Place, rules: RuleSet): PipelineOptions => ({
  flows,
  rules,
  inputs,
  generator: undefined,
  bounded: true,
  epochMs: 0,
  checkpointEveryMs: 0,
  lakeCommitEveryMs: 0,
  alertLagRecords: 10_000
})

/** A log that gives few records at a time: a small file becomes many batches, epochs and commits. */
export const inSips = (log: LogShape, recordsMax: number): LogShape => ({
  ...log,
  read: (topic, partition, offset, limits) => log.read(topic, partition, offset, { ...limits, recordsMax })
})

export interface RunIn {
  /** Called at every fault point; may die. */
  readonly hit?: (name: FaultPointName) => Effect.Effect<void>
  /** Records that the log gives at a time. */
  readonly recordsMax?: number
  /** An epoch ends with so many, however long it takes to commit: a small file becomes many of them on any machine. */
  readonly epochRecords?: number
  /** None when left out. */
  readonly rules?: RuleSet
  /** That of the data directory when left out. */
  readonly log?: LogShape
  /** That of the data directory when left out. */
  readonly duckDb?: DuckDb["Service"]
  /** Transactions when left out. */
  readonly flows?: PipelineOptions["flows"]
  /** Threads that run the jobs, on logs of their own: 1 when left out. */
  readonly parallelism?: number
  /** Told of what threads say. */
  readonly watch?: (event: ThreadSaid) => void
}

/** Runs to the end; the summary that people would get. */
export const runIn = (place: Place, given: RunIn = {}) =>
  Effect.gen(function* () {
    const { flows = ["transactions"], hit = () => Effect.void, recordsMax = 10_000, rules = noRules } = given
    const log = given.log ?? (yield* Log)
    const summaries: Array<Summary> = []
    const atEnd = (summary: Summary) => Effect.sync(() => void summaries.push(summary))
    const threads = given.parallelism === undefined ? {} : { parallelism: given.parallelism, epochRecords: recordsMax }
    const epochs = given.epochRecords === undefined ? {} : { epochRecords: given.epochRecords }
    const options = { ...optionsFor(flows, place, rules), ...threads, ...epochs }
    yield* runPipeline(options, dataDirectory(place.data), blind, atEnd).pipe(
      Effect.provideService(ThreadWatcher, given.watch ?? (() => {})),
      Effect.provideService(Log, inSips(log, recordsMax)),
      Effect.provideService(DuckDb, given.duckDb ?? (yield* DuckDb)),
      Effect.provideService(FaultPoint, { hit })
    )
    const [summary] = summaries
    return summary === undefined ? yield* Effect.die(new Error("a run ended without a summary")) : summary
  }).pipe(Effect.provide(systemLayer(dataDirectory(place.data))))
