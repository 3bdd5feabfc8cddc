/**
 * The health of a system, part by part: `frazil health` prints it, the gateway's `/health` answers it.
 *
 * A part that others need is checked first; when it is ill they are left out, so that the cause is what is named.
 */
import { existsSync, statSync } from "node:fs"
import type { Log } from "@frazil/engine"
import { type Context, Effect, Layer } from "effect"
import type { DataDirectory } from "../DataDirectory.ts"
import { hasCatalog, hasLog } from "../ExistingData.ts"
import { catalogLayer } from "../Layers.ts"
import { logLayer } from "../LogLayers.ts"
import type { Declared, StageStatus } from "../status/SystemStatus.ts"
import { checkApis } from "./ApiChecks.ts"
import { checkCheckpoints, checkDisk } from "./DiskChecks.ts"
import { checkCatalog, checkLandings, checkTableFiles } from "./LakeChecks.ts"
import { checkJobs, checkLog } from "./LogChecks.ts"
import { healthy, ill, type Part } from "./Part.ts"

/** What is still well. */
export interface HealthBounds {
  /** Records that a job may be behind. */
  readonly lagMax: number
  /** How long a record may wait for its commit. */
  readonly commitAgeMsMax: number
  readonly diskFreeBytesMin: number
}

export const healthBoundsDefault: HealthBounds = {
  lagMax: 100_000,
  commitAgeMsMax: 15 * 60_000,
  diskFreeBytesMin: 512 * 1024 * 1024
}

interface LogHealth {
  readonly parts: ReadonlyArray<Part>
  readonly stages: ReadonlyArray<StageStatus>
  /** Undefined when the log cannot be used. */
  readonly log: Context.Context<Log> | undefined
}

const logHealth = Effect.fnUntraced(function* (directory: DataDirectory, declared: Declared, bounds: HealthBounds) {
  const noLog = (detail: string): LogHealth => ({ parts: [ill("log", detail)], stages: [], log: undefined })
  if (!hasLog(directory)) return noLog(`${directory.logFile} is missing: restore it, or start a pipeline`)
  const built = yield* Effect.result(Layer.build(logLayer(directory)))
  if (built._tag === "Failure") return noLog(built.failure.message)
  const log = built.success
  const part = yield* Effect.provideContext(checkLog, log)
  if (!part.healthy) return noLog(part.detail)
  const { parts, stages } = yield* Effect.provideContext(checkJobs(directory, declared, bounds.lagMax), log)
  return { parts: [part, ...parts], stages, log } satisfies LogHealth
})

const lakeHealth = Effect.fnUntraced(function* (
  directory: DataDirectory,
  declared: Declared,
  bounds: HealthBounds,
  { log, stages }: LogHealth
) {
  if (!hasCatalog(directory)) {
    const began = stages.some((stage) => stage.shards.length > 0) || existsSync(`${directory.root}/warehouse`)
    return began
      ? [ill("catalog", `${directory.catalogFile} is missing: restore it, or start the pipeline`)]
      : [healthy("catalog", "none yet: nothing has landed")]
  }
  const built = yield* Effect.result(Layer.build(catalogLayer(directory)))
  if (built._tag === "Failure") return [ill("catalog", built.failure.message)]
  const catalog = built.success
  const part = yield* Effect.provideContext(checkCatalog, catalog)
  if (!part.healthy) return [part]
  const files = yield* Effect.provideContext(checkTableFiles, catalog)
  if (log === undefined) return [part, ...files]
  const landings = yield* checkLandings(stages, declared, bounds.commitAgeMsMax).pipe(
    Effect.provideContext(catalog),
    Effect.provideContext(log)
  )
  // one part for each table: what is wrong with its files comes before how far it landed
  const landed = new Map(landings.map((landing) => [landing.name, landing]))
  const wrongFiles = new Set(files.filter((file) => !file.healthy).map((file) => file.name))
  const others = files.filter((file) => wrongFiles.has(file.name) || !landed.has(file.name))
  return [part, ...others, ...landings.filter((landing) => !wrongFiles.has(landing.name))]
})

/** Every part of the system over a data directory. Opens what it needs by itself, so that it works on a broken one. */
export const examine = Effect.fnUntraced(function* (
  directory: DataDirectory,
  declared: Declared,
  bounds: HealthBounds = healthBoundsDefault
) {
  const isDirectory = statSync(directory.root, { throwIfNoEntry: false })?.isDirectory() ?? false
  if (!isDirectory) {
    return [ill("data directory", `${directory.root} does not exist: give another with --data, or start a pipeline`)]
  }
  const log = yield* logHealth(directory, declared, bounds)
  return [
    ...log.parts,
    ...(yield* lakeHealth(directory, declared, bounds, log)),
    ...(yield* checkApis(directory)),
    yield* checkCheckpoints(directory),
    yield* checkDisk(directory, bounds.diskFreeBytesMin)
  ]
}, Effect.scoped)
