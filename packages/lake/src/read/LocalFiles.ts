/**
 * A plan's files as files of this machine, which is all that the bundled DuckDB reads.
 *
 * Whoever hands a plan's relation to DuckDB calls it first. On local disk the plan stays as it is; elsewhere it learns of
 * copies, there as long as the scope is open; files keep their URIs, by which delete files name them. **Bounds**: copies
 * come in `copiesAtOnce` at a time, whole: DuckDB skips what a query does not need in them, not on the way here.
 */
import { localPath, type StorageShape } from "@frazil/core"
import { Effect, type Scope } from "effect"
import { fromStorage, type LakeError } from "../LakeError.ts"
import { isVector, type ContentFile } from "../spec/DataFile.ts"
import type { ScanPlan } from "./PlanScan.ts"

const copiesAtOnce = 4

/** Every file that reading the plan opens: of data, and of deletes that apply to it. */
const filesOf = (plan: ScanPlan): ReadonlyArray<ContentFile> => {
  // deletion vectors were read with the plan
  const deletes = plan.entries
    .flatMap((entry) => plan.deletes.get(entry) ?? [])
    .filter((each) => !isVector(each.dataFile))
  const files = [...plan.entries, ...deletes].map(({ dataFile }): ContentFile => dataFile)
  return [...new Map(files.map((file) => [file.filePath, file])).values()]
}

/** Whether every file lies on this machine, so that nothing has to be copied. */
export const isLocal = (plan: ScanPlan): boolean =>
  filesOf(plan).every(({ filePath }) => localPath(filePath) !== undefined)

/** Local paths of the plan's files, those of deletes included; undefined for one that is elsewhere and not copied. */
export const localPaths = (plan: ScanPlan): ReadonlyArray<string | undefined> =>
  filesOf(plan).map(({ filePath }) => plan.copies?.get(filePath) ?? localPath(filePath))

export const withLocalFiles = (
  storage: Pick<StorageShape, "localFile">,
  plan: ScanPlan
): Effect.Effect<ScanPlan, LakeError, Scope.Scope> =>
  isLocal(plan)
    ? Effect.succeed(plan)
    : Effect.forEach(
        filesOf(plan).filter(({ filePath }) => localPath(filePath) === undefined),
        ({ filePath, fileSizeInBytes }) =>
          Effect.map(storage.localFile(filePath, Number(fileSizeInBytes)), (path) => [filePath, path] as const),
        { concurrency: copiesAtOnce }
      ).pipe(
        Effect.mapError(fromStorage("data file")),
        Effect.map((copies) => ({ ...plan, copies: new Map(copies) }))
      )
