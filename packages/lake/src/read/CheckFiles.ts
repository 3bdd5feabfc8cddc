/**
 * Whether the files of a scan are what their manifests say, asked before they are read; and which of them is damaged, asked when
 * a query over them failed, since DuckDB often does not say.
 */
import { Effect, type Scope } from "effect"
import { DuckDb, type DuckDbConnection } from "../io/DuckDb.ts"
import { DuckDbError } from "../io/DuckDbError.ts"
import { FileIO } from "../io/FileIO.ts"
import { LakeError } from "../LakeError.ts"
import { type ContentFile, type DeleteFile, deletePathId, deletePositionId } from "../spec/DataFile.ts"
import type { FooterElement } from "../write/parquet/ParquetFooter.ts"
import type { ManifestEntry } from "../spec/Manifest.ts"
import { nameMappingProperty } from "../spec/NameMapping.ts"
import { fieldIdMax } from "../spec/Schema.ts"
import type { Type } from "../spec/Type.ts"
import { isAsDeclared, topLevel } from "./DeclaredColumns.ts"
import { identitySources } from "./PartitionConstants.ts"
import type { ScanPlan } from "./PlanScan.ts"
import { fileText } from "./RelationFiles.ts"
import { tableRelation } from "./TableRelation.ts"

/** Data files looked at, one after another, to name the damaged one. */
const filesAskedMax = 1_000

/** Footers read at once. */
const footersAtOnce = 8

/** What a file of a scan must be for its rows to be read. */
export interface FileCheck extends Pick<ContentFile, "filePath" | "fileSizeInBytes" | "recordCount"> {
  /** Field ids of top-level columns that it cannot do without. */
  readonly columns: ReadonlyArray<number>
  /** Names may stand for field ids. */
  readonly mapped: boolean
  /** The table's top-level columns by field id, whether the file has them or not. */
  readonly types: ReadonlyMap<number, Type>
  /** The highest id that the table has given. */
  readonly lastColumnId: number
}

const deleteFilesOf = ({ deletes }: ScanPlan): ReadonlyArray<DeleteFile> => [
  ...new Set([...deletes.values()].flat().map(({ dataFile }) => dataFile))
]

/** Field ids of a file's top-level columns; undefined when it has none at all, so that names decide. */
const columnIds = (elements: ReadonlyArray<FooterElement>): ReadonlySet<number> | undefined => {
  if (elements.every(({ fieldId }) => fieldId === undefined)) return undefined
  return new Set(topLevel(elements).flatMap(({ fieldId }) => (fieldId === undefined ? [] : [fieldId])))
}

/** Columns that a delete file says nothing without. */
const deleteColumns = ({ content, equalityIds }: DeleteFile): ReadonlyArray<number> =>
  content === "equality-deletes" ? equalityIds : [deletePathId, deletePositionId]

/** What is the same for all files of a plan. */
type OfTable = Pick<FileCheck, "lastColumnId" | "mapped" | "types">

const checkOf = (
  { filePath, fileSizeInBytes, recordCount }: ContentFile,
  columns: FileCheck["columns"],
  ofTable: OfTable
): FileCheck => ({ filePath, fileSizeInBytes, recordCount, columns, ...ofTable })

/** What has to hold of the plan's files. Pure: for those who keep a plan's relation, and not the plan. */
export const fileChecks = (plan: ScanPlan): ReadonlyArray<FileCheck> => {
  const mapped = plan.metadata.properties.has(nameMappingProperty)
  // rows of files that lack a column may have its default, or what their partition says
  const required = plan.schema.fields
    .filter((field) => field.required && field.initialDefault === undefined)
    .map(({ id }) => id)
  const types = new Map(plan.schema.fields.map(({ id, type }) => [id, type]))
  const { lastColumnId } = plan.metadata
  const needed = (entry: ManifestEntry): ReadonlyArray<number> => {
    const lacked = plan.physical.has(entry.dataFile.filePath) ? identitySources(plan.metadata, entry.dataFile) : []
    return required.filter((id) => !lacked.includes(id))
  }
  const deletes = deleteFilesOf(plan).filter(({ fileFormat }) => fileFormat === "PARQUET")
  return [
    ...plan.entries.map((entry) => checkOf(entry.dataFile, needed(entry), { mapped, types, lastColumnId })),
    ...deletes.map((file) => checkOf(file, deleteColumns(file), { mapped: false, types: new Map(), lastColumnId }))
  ]
}

/** A column with no id that a table of `lastColumnId` has given, or with another's. */
const strangerOf = (
  columns: ReadonlyArray<FooterElement>,
  lastColumnId: number
): Pick<FooterElement, "fieldId" | "name"> | undefined => {
  const seen = new Set<number>()
  return columns.find(({ fieldId }) => {
    if (fieldId === undefined || fieldId < 0 || seen.has(fieldId)) return true
    seen.add(fieldId)
    return fieldId > lastColumnId && fieldId <= fieldIdMax
  })
}

/**
 * Which column DuckDB would read as null, or as other numbers, without a word. A file may lack columns that came later, but not
 * have strange ones in their place; and a decimal's digits after the point never change.
 */
const wrongColumn = (
  { lastColumnId, types }: FileCheck,
  ids: ReadonlySet<number>,
  columns: ReadonlyArray<FooterElement>
): string | undefined => {
  const lacked = Array.from(types.keys()).find((id) => !ids.has(id))
  const stranger = lacked === undefined ? undefined : strangerOf(columns, lastColumnId)
  if (stranger !== undefined) {
    const has = stranger.fieldId === undefined ? "no field id" : `field id ${stranger.fieldId}`
    return `its column ${stranger.name} has ${has}, and the table's field ${lacked} is missing`
  }
  for (const { fieldId, name, scales } of columns) {
    const type = fieldId === undefined ? undefined : types.get(fieldId)
    if (type?._tag !== "decimal") continue
    const other = scales.find((scale) => scale !== type.scale)
    if (other !== undefined)
      return `its column ${name} has ${other} digits after the point, and the table's has ${type.scale}`
  }
  return undefined
}

const runCheck = Effect.fnUntraced(function* (
  file: FileCheck
): Effect.fn.Return<ReadonlyArray<FooterElement>, LakeError, FileIO> {
  const elements = yield* (yield* FileIO).readDataFileSchema(file, "present")
  const ids = columnIds(elements)
  if (ids === undefined && !file.mapped) {
    // DuckDB would read null for all of it
    const message = `data file ${file.filePath}: it has no field ids, and no name mapping says which column is which; set ${nameMappingProperty} or rewrite it`
    return yield* new LakeError({ reason: "Unsupported", message })
  }
  const wrong = ids === undefined || file.mapped ? undefined : wrongColumn(file, ids, topLevel(elements))
  if (wrong !== undefined) {
    const message = `data file ${file.filePath}: ${wrong}; restore it from a copy`
    return yield* new LakeError({ reason: "Corrupt", message })
  }
  const missing = ids === undefined ? undefined : file.columns.find((id) => !ids.has(id))
  if (missing === undefined) return elements
  const message = `data file ${file.filePath}: it lacks the column of field ${missing}, which it must have; restore it from a copy`
  return yield* new LakeError({ reason: "Corrupt", message })
})

/** Every check holds, or it fails with the first file that is not what it must be. */
export const runChecks = (checks: ReadonlyArray<FileCheck>): Effect.Effect<void, LakeError, FileIO> =>
  Effect.forEach(checks, runCheck, { concurrency: footersAtOnce, discard: true })

/**
 * Every file must have the size and the rows that its manifest promises, and the columns that it cannot do without: DuckDB reads
 * null where a file lacks one. Gives the plan, and whether its files have the columns just as declared. **Bounds**: a footer a
 * file, `footersAtOnce` at a time.
 */
export const checkFiles = Effect.fnUntraced(function* (plan: ScanPlan): Effect.fn.Return<ScanPlan, LakeError, FileIO> {
  const footers = yield* Effect.forEach(fileChecks(plan), runCheck, { concurrency: footersAtOnce })
  // data files come first
  const asDeclared = footers.slice(0, plan.entries.length).every((elements) => isAsDeclared(plan.schema, elements))
  return { ...plan, asDeclared }
})

/** Whether it is about what files hold, and says not which; not about the statement, memory or the disk. */
const aboutFiles = ({ message, reason }: DuckDbError): boolean =>
  reason === "Unavailable"
    ? !message.includes("/")
    : reason === "Failed" &&
      /\((Invalid|IO|Serialization|Internal|Fatal|TProtocolException|unknown)[^)]*\)$/.test(message)

/** Cannot be told from statistics: every page is read. */
const everyValue = "bit_xor(hash(COLUMNS(*)))"

const looking = "looking for a damaged file"

const unreadable = (what: string, path: string, cause: DuckDbError): LakeError => {
  const message = `${what} ${path}: it cannot be read (${cause.message}); restore it from a copy`
  return new LakeError({ reason: "Corrupt", message, cause })
}

/** The delete file of those that apply which cannot be read by itself. */
const damagedDeletes = Effect.fnUntraced(function* (
  connection: DuckDbConnection,
  { copies, deletes }: ScanPlan,
  entry: ManifestEntry
): Effect.fn.Return<void, LakeError, Scope.Scope> {
  const files = (deletes.get(entry) ?? []).map(({ dataFile }) => dataFile)
  for (const { filePath } of files.filter(({ fileFormat }) => fileFormat === "PARQUET")) {
    const sql = `SELECT ${everyValue} FROM read_parquet([${fileText(filePath, copies)}], hive_partitioning = false)`
    yield* Effect.mapError(connection.query(sql, looking), (cause) => unreadable("delete file", filePath, cause))
  }
})

/** The error with the table that it is about; its query names columns as the table does, or should. */
const ofTable = ({ metadata }: ScanPlan, { cause, message, reason }: DuckDbError): DuckDbError =>
  new DuckDbError({
    reason,
    message: `table ${metadata.location}: ${message}`,
    ...(cause === undefined ? {} : { cause })
  })

/** The error that names the damaged file; the one given, with the table's name, when every file reads. */
export const findDamage = Effect.fnUntraced(function* (
  plan: ScanPlan,
  error: DuckDbError
): Effect.fn.Return<never, LakeError | DuckDbError, DuckDb | Scope.Scope> {
  if (!aboutFiles(error)) return yield* ofTable(plan, error)
  const connection = yield* (yield* DuckDb).connect
  const entries = plan.entries.slice(0, filesAskedMax)
  for (const entry of entries) {
    const relation = yield* Effect.fromResult(tableRelation({ ...plan, entries: [entry] }))
    const sql = `SELECT ${everyValue} FROM (${relation})`
    yield* connection
      .query(sql, looking)
      .pipe(
        Effect.catch((cause) =>
          Effect.andThen(
            damagedDeletes(connection, plan, entry),
            Effect.fail(unreadable("data file", entry.dataFile.filePath, cause))
          )
        )
      )
  }
  return yield* ofTable(plan, error)
})
