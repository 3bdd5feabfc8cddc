/** Checks of the catalog and of each landed table. */
import { Catalog, identifierText, planScan, type FileIO } from "@frazil/lake"
import type { Log } from "@frazil/engine"
import { Clock, Effect } from "effect"
import {
  type Declared,
  landingProblem,
  type LandingStatus,
  landingStatuses,
  type StageStatus
} from "../status/SystemStatus.ts"
import * as Units from "../Units.ts"
import { healthy, ill, type Part } from "./Part.ts"

/** The catalog can be asked. */
export const checkCatalog: Effect.Effect<Part, never, Catalog> = Catalog.use((catalog) => catalog.listTables()).pipe(
  Effect.map((tables) => healthy("catalog", Units.plural(tables.length, "table"))),
  Effect.catch((error) => Effect.succeed(ill("catalog", error.message)))
)

/** Metadata, manifest list and manifests of every table can be read. */
export const checkTableFiles: Effect.Effect<ReadonlyArray<Part>, never, Catalog | FileIO> = Effect.gen(function* () {
  const catalog = yield* Catalog
  return yield* Effect.forEach(yield* catalog.listTables(), (identifier) =>
    catalog.loadTable(identifier).pipe(
      Effect.flatMap((table) => planScan(table)),
      Effect.map((plan) => healthy(`table ${identifierText(identifier)}`, Units.plural(plan.entries.length, "file"))),
      Effect.catch((error) => Effect.succeed(ill(`table ${identifierText(identifier)}`, error.message)))
    )
  )
}).pipe(Effect.catch(() => Effect.succeed([])))

const landingPart = (status: LandingStatus, commitAgeMsMax: number, nowMs: number): Part => {
  const name = `table ${status.table}`
  const problem = landingProblem(status)
  if (problem !== undefined) return ill(name, problem)
  // without a problem there is progress
  const progress = status.progress._tag === "Success" ? status.progress.success : undefined
  if (progress === undefined || status.state === "never ran") return healthy(name, "nothing to land yet")
  const commit =
    progress.committedAtMs === undefined ? "no commit yet" : `commit ${Units.ago(progress.committedAtMs, nowMs)}`
  const detail = `${Units.plural(progress.rows, "row")}, ${commit}, ${Units.count(progress.lag)} behind`
  const waitedMs = progress.waitingSinceMs === undefined ? 0 : nowMs - progress.waitingSinceMs
  if (waitedMs > commitAgeMsMax) {
    return ill(
      name,
      `${detail}: records have waited for ${Units.age(waitedMs)}, more than ${Units.age(commitAgeMsMax)}; look whether the pipeline runs`
    )
  }
  return healthy(name, detail)
}

/**
 * A part for each declared landing. A table whose last commit is old is well as long as no record waits: nothing is
 * committed when nothing comes.
 */
export const checkLandings = Effect.fnUntraced(function* (
  stages: ReadonlyArray<StageStatus>,
  declared: Declared,
  commitAgeMsMax: number
): Effect.fn.Return<ReadonlyArray<Part>, never, Log | Catalog> {
  const nowMs = yield* Clock.currentTimeMillis
  return (yield* landingStatuses(stages, declared)).map((status) => landingPart(status, commitAgeMsMax, nowMs))
})
