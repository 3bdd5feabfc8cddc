/**
 * A bounded run of the pipeline inside a test: the whole of `runPipeline` over a data directory on disk, without the
 * process around it, so that fault points can fail or crash it.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { FaultPoint, type FaultPointName } from "@frazil/core"
import { Log, type LogShape } from "@frazil/engine"
import { dataDirectory, systemLayer } from "@frazil/platform"
import { noRules, type RuleSet } from "@frazil/rules"
import { Effect } from "effect"
import type { PipelineOptions } from "../../src/Options.ts"
import { runPipeline } from "../../src/Run.ts"
import type { Screen } from "../../src/Screen.ts"
import type { Summary } from "../../src/Summary.ts"

/** A folder with an input file and the data directory of the runs that read it. */
export interface Place {
  readonly folder: string
  readonly file: string
  readonly data: string
}

/** A place of its own, with `bytes` as its input file; removed with the scope. */
export const makePlace = (bytes: Uint8Array) =>
  Effect.acquireRelease(
    Effect.sync((): Place => {
      const folder = mkdtempSync(join(tmpdir(), "frazil-pipeline-"))
      const file = join(folder, "input.ndjson")
      writeFileSync(file, bytes)
      return { folder, file, data: join(folder, "data") }
    }),
    ({ folder }) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
  )

const blind: Screen = { live: false, show: () => {}, say: () => {}, finish: () => {} }

/** Small epochs and commits, so that a small file crosses every fault point often. */
const optionsFor = (file: string, rules: RuleSet): PipelineOptions => ({
  flows: ["transactions"],
  rules,
  inputs: new Map([["raw-transactions", file]]),
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
  /** None when left out. */
  readonly rules?: RuleSet
}

/** Runs to the end; the summary that people would get. */
export const runIn = (place: Place, { hit = () => Effect.void, recordsMax = 10_000, rules = noRules }: RunIn = {}) =>
  Effect.gen(function* () {
    const log = yield* Log
    const summaries: Array<Summary> = []
    const atEnd = (summary: Summary) => Effect.sync(() => void summaries.push(summary))
    yield* runPipeline(optionsFor(place.file, rules), dataDirectory(place.data), blind, atEnd).pipe(
      Effect.provideService(Log, inSips(log, recordsMax)),
      Effect.provideService(FaultPoint, { hit })
    )
    const [summary] = summaries
    return summary === undefined ? yield* Effect.die(new Error("a run ended without a summary")) : summary
  }).pipe(Effect.provide(systemLayer(dataDirectory(place.data))))
