/**
 * What a manifest says of a file, against the file: that it is there, its size, its rows, and that bounds and counts hold for
 * every value in it. DuckDB reads all rows of the file.
 */
import { Storage } from "@frazil/core"
import { Effect, type Scope } from "effect"
import { type DuckDbConnection, sqlName } from "../../io/DuckDb.ts"
import type { DuckDbError } from "../../io/DuckDbError.ts"
import { FileIO } from "../../io/FileIO.ts"
import { fromFormat, fromStorage, type LakeError } from "../../LakeError.ts"
import { sqlLiteral } from "../../read/FilterSql.ts"
import { withLocalFiles } from "../../read/LocalFiles.ts"
import { readPhysical, type ScanPlan } from "../../read/PlanScan.ts"
import { fileText } from "../../read/RelationFiles.ts"
import { tableRelation } from "../../read/TableRelation.ts"
import { type ContentFile, type DeleteFile, isVector } from "../../spec/DataFile.ts"
import type { ManifestEntry } from "../../spec/Manifest.ts"
import { singleValueFromBytes } from "../../spec/SingleValue.ts"
import { type FieldEntry, leafFields } from "../../spec/Schema.ts"
import type { PrimitiveType } from "../../spec/Type.ts"
import type { FactKind, FactProblem } from "./FactProblem.ts"
import { type RowsOf, vectorProblems } from "./VectorProblems.ts"

type Problems = ReadonlyArray<FactProblem>

/** A table and the snapshot that is audited. */
export type AuditedMoment = Omit<ScanPlan, "entries" | "deletes" | "physical">

const problem = (file: ContentFile, kind: FactKind, message: string): FactProblem => ({
  kind,
  where: file.filePath,
  message
})

/** Text goes as digits, whatever is in it. */
const literal = (type: PrimitiveType, bytes: Uint8Array): string =>
  type._tag === "string"
    ? `decode(from_hex('${Buffer.from(bytes).toString("hex")}'))`
    : sqlLiteral(type, singleValueFromBytes(type, bytes))

const countWhere = (condition: string): string => `count(*) FILTER (WHERE ${condition})::DOUBLE`

type Checked = FieldEntry & { readonly type: PrimitiveType }

const columnSql = ({ path }: Checked): string => path.map(sqlName).join(".")

/** How many values are beyond a bound. NaN is beyond none: bounds do not tell of it. */
const beyond = (field: Checked, operator: "<" | ">", bound: Uint8Array | undefined): string => {
  if (bound === undefined) return "0::DOUBLE"
  const column = columnSql(field)
  const floating = field.type._tag === "float" || field.type._tag === "double"
  return countWhere(`${column} ${operator} ${literal(field.type, bound)}${floating ? ` AND NOT isnan(${column})` : ""}`)
}

/** Columns of which counts and bounds are of rows, those within structs too. */
const checkedFields = ({ schema }: ScanPlan): ReadonlyArray<Checked> =>
  leafFields(schema).filter(({ repeated }) => !repeated)

const compareColumns = (plan: ScanPlan, file: ContentFile, counts: ReadonlyArray<number>): Problems => {
  const [rows = 0, ...ofColumns] = counts
  const found: Array<FactProblem> = []
  if (BigInt(rows) !== file.recordCount) {
    found.push(problem(file, "record-count", `its manifest says ${file.recordCount} rows, it has ${rows}`))
  }
  for (const [i, { id, path }] of checkedFields(plan).entries()) {
    const name = path.join(".")
    const [below = 0, above = 0, nulls = 0] = ofColumns.slice(i * 3, i * 3 + 3)
    if (below > 0) found.push(problem(file, "bounds", `${below} values of ${name} are below its lower bound`))
    if (above > 0) found.push(problem(file, "bounds", `${above} values of ${name} are above its upper bound`))
    const listed = file.nullValueCounts.get(id)
    if (listed !== undefined && listed !== BigInt(nulls)) {
      found.push(problem(file, "value-count", `its manifest says ${listed} nulls of ${name}, it has ${nulls}`))
    }
    const values = file.valueCounts.get(id)
    if (values !== undefined && values !== BigInt(rows)) {
      found.push(problem(file, "value-count", `its manifest says ${values} values of ${name}, it has ${rows}`))
    }
  }
  return found
}

/** Each problem of the data file, by reading it. */
const dataProblems = Effect.fnUntraced(function* (
  connection: DuckDbConnection,
  base: AuditedMoment,
  entry: ManifestEntry
): Effect.fn.Return<Problems, LakeError | DuckDbError, FileIO | Scope.Scope> {
  const entries = [entry]
  const physical = yield* readPhysical(base.metadata, base.schema, entries)
  const plan = yield* withLocalFiles(yield* FileIO, { ...base, entries, deletes: new Map(), physical })
  const { dataFile } = entry
  const relation = yield* Effect.fromResult(tableRelation(plan))
  const columns = yield* Effect.try({
    try: () =>
      checkedFields(plan).flatMap((field) => [
        beyond(field, "<", dataFile.lowerBounds.get(field.id)),
        beyond(field, ">", dataFile.upperBounds.get(field.id)),
        countWhere(`${columnSql(field)} IS NULL`)
      ]),
    catch: fromFormat("bounds of", dataFile.filePath)
  })
  const sql = `SELECT ${["count(*)::DOUBLE", ...columns].join(", ")} FROM (${relation})`
  const reader = yield* connection.query(sql, `reading ${dataFile.filePath}`)
  // every column is a DOUBLE
  return compareColumns(plan, dataFile, (reader.getRows()[0] ?? []) as ReadonlyArray<number>)
})

const deleteProblems = Effect.fnUntraced(function* (
  connection: DuckDbConnection,
  file: DeleteFile
): Effect.fn.Return<Problems, LakeError | DuckDbError, FileIO | Scope.Scope> {
  const { filePath, fileSizeInBytes } = file
  const { localFile } = yield* FileIO
  const path = yield* Effect.mapError(localFile(filePath, Number(fileSizeInBytes)), fromStorage("delete file"))
  const text = fileText(filePath, new Map([[filePath, path]]))
  const sql = `SELECT count(*)::DOUBLE FROM read_parquet([${text}], hive_partitioning = false)`
  const rows = Number((yield* connection.query(sql, `reading ${filePath}`)).getRows()[0]?.[0])
  return BigInt(rows) === file.recordCount
    ? []
    : [problem(file, "record-count", `its manifest says ${file.recordCount} rows, it has ${rows}`)]
})

const isDelete = (file: ContentFile): file is DeleteFile => "content" in file

/** What is wrong with a live file. */
export const fileProblems = Effect.fnUntraced(function* (
  connection: DuckDbConnection,
  base: AuditedMoment,
  entry: ManifestEntry | ManifestEntry<DeleteFile>,
  rowsOf: RowsOf
): Effect.fn.Return<Problems, LakeError, FileIO | Storage> {
  const storage = yield* Storage
  const { dataFile } = entry
  if (!/^[a-z][a-z0-9+.-]*:\//i.test(dataFile.filePath)) return [problem(dataFile, "path", "is no full URI")]
  const stored = yield* Effect.result(storage.stat(dataFile.filePath))
  if (stored._tag === "Failure") return [problem(dataFile, "file", stored.failure.message)]
  const { sizeBytes } = stored.success
  const right = BigInt(sizeBytes) === dataFile.fileSizeInBytes
  const size = right
    ? []
    : [problem(dataFile, "file-size", `its manifest says ${dataFile.fileSizeInBytes} bytes, it has ${sizeBytes}`)]
  const sized = { ...dataFile, fileSizeInBytes: BigInt(sizeBytes) }
  const read = isDelete(sized)
    ? isVector(sized)
      ? vectorProblems(sized, rowsOf)
      : deleteProblems(connection, sized)
    : dataProblems(connection, base, { ...entry, dataFile: sized } as ManifestEntry) // no delete file
  const found = yield* Effect.scoped(read).pipe(
    Effect.catch((error) => Effect.succeed([problem(dataFile, "file", `cannot be read: ${error.message}`)]))
  )
  return [...size, ...found]
})
